//! Taking the values of a person out of JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;
use wire::live::events::{split_data, with_data};
use wire::personal::{self, Tells};

use super::NOBODY;
use super::find::is_part;
use super::places::Holds;
use crate::Result;

/// What stands where a host was told about a party by its name.
const MESSAGE: &str = "The data of this party were erased.";

/// The text of a column without the values of people; `None` when it has none.
pub(super) fn redacted(holds: Holds, text: &str, ids: &BTreeSet<Uuid>) -> Result<Option<String>> {
    let (envelope, json) = match holds {
        Holds::Frame => match split_data(text) {
            Some((envelope, data)) => (Some(envelope), data),
            None => return Ok(None),
        },
        _ => (None, text),
    };
    let mut value: Value = serde_json::from_str(json)?;
    let is_changed = match (holds, &mut value) {
        (Holds::Fields | Holds::Frame, Value::Object(state)) => fields(state),
        (Holds::Document, value) => within(value, ids),
        _ => false,
    };
    if !is_changed {
        return Ok(None);
    }
    let json = value.to_string();
    Ok(Some(match envelope {
        Some(envelope) => with_data(envelope, &json),
        None => json,
    }))
}

/// The parts of a document that are about things with these ids, the outermost that have their id.
pub(super) fn parts(value: &Value, ids: &BTreeSet<Uuid>, into: &mut Vec<Value>) {
    match value {
        Value::Object(object) if is_about(object, ids) => into.push(value.clone()),
        Value::Object(object) => object.values().for_each(|part| parts(part, ids, into)),
        Value::Array(list) => list.iter().for_each(|part| parts(part, ids, into)),
        _ => {}
    }
}

fn is_about(object: &Map<String, Value>, ids: &BTreeSet<Uuid>) -> bool {
    let id = object.get("id").and_then(Value::as_str);
    id.and_then(|id| id.parse().ok())
        .is_some_and(|id: Uuid| ids.contains(&id))
}

fn within(value: &mut Value, ids: &BTreeSet<Uuid>) -> bool {
    let mut is_changed = false;
    match value {
        Value::Object(object) => {
            if is_about(object, ids) {
                is_changed |= fields(object);
                is_changed |= replace(object, "message", Value::is_string, || MESSAGE.into());
            }
            for part in object.values_mut() {
                is_changed |= within(part, ids);
            }
        }
        Value::Array(list) => {
            for part in list {
                is_changed |= within(part, ids);
            }
        }
        _ => {}
    }
    is_changed
}

/// Takes the values out of a state, or of some fields of one, with those of its parts that are no
/// things by themselves.
fn fields(state: &mut Map<String, Value>) -> bool {
    let mut is_changed = false;
    for (name, tells) in personal::fields() {
        is_changed |= match tells {
            Tells::Name => replace(state, name, Value::is_string, || NOBODY.into()),
            Tells::Phone | Tells::Email | Tells::Text => {
                replace(state, name, |value| !value.is_null(), || Value::Null)
            }
            Tells::List => {
                let is_full = |value: &Value| value.as_array().is_some_and(|list| !list.is_empty());
                replace(state, name, is_full, || Value::Array(Vec::new()))
            }
            Tells::Link | Tells::Nothing => false,
        };
    }
    for value in state.values_mut() {
        let parts = match value {
            Value::Array(list) => list.as_mut_slice(),
            value => std::slice::from_mut(value),
        };
        for part in parts.iter_mut().filter_map(Value::as_object_mut) {
            if is_part(part) {
                is_changed |= fields(part);
            }
        }
    }
    is_changed
}

fn replace(
    object: &mut Map<String, Value>,
    name: &str,
    has_value: impl Fn(&Value) -> bool,
    by: impl Fn() -> Value,
) -> bool {
    match object.get_mut(name) {
        Some(value) if has_value(value) && *value != by() => {
            *value = by();
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANN: Uuid = Uuid::from_u128(1);

    #[test]
    fn a_document_loses_the_values_of_whom_it_is_about() {
        let ids = BTreeSet::from([ANN]);
        let bob =
            json!({"id": Uuid::from_u128(2), "guestName": "Bob", "phone": "2", "message": "Bob"});
        let ann = json!({
            "id": ANN, "status": "conflict", "message": "Somebody else changed Ann.",
            "current": {"id": ANN, "guestName": "Ann", "tags": ["vip"], "phone": "1", "partySize": 2},
        });
        let document = json!({"results": [ann, bob]});
        let text = redacted(Holds::Document, &document.to_string(), &ids).unwrap();
        let erased = json!({"results": [
            {
                "id": ANN, "status": "conflict", "message": MESSAGE,
                "current": {"id": ANN, "guestName": "Guest", "tags": [], "phone": null, "partySize": 2},
            },
            bob,
        ]});
        let text = text.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), erased);
        assert_eq!(redacted(Holds::Document, &text, &ids).unwrap(), None);
        let mut found = Vec::new();
        parts(&document, &ids, &mut found);
        assert_eq!(found, [ann]);
    }

    #[test]
    fn parts_of_a_thing_lose_their_values_too() {
        let state = json!({
            "payer": {"phone": "1", "cards": [{"email": "a@b.c", "last": 4}]},
            "table": {"id": "t", "notes": "wobbles"},
        });
        let erased = json!({
            "payer": {"phone": null, "cards": [{"email": null, "last": 4}]},
            "table": {"id": "t", "notes": "wobbles"},
        });
        let text = redacted(Holds::Fields, &state.to_string(), &BTreeSet::new()).unwrap();
        let text = text.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), erased);
    }

    #[test]
    fn a_frame_keeps_its_envelope() {
        let envelope = r#"{"type":"guest_updated","seq":7,"guest_id":"x""#;
        let frame = with_data(envelope, r#"{"id":"x","guestName":"Ann","notes":null}"#);
        let erased = redacted(Holds::Frame, &frame, &BTreeSet::new()).unwrap();
        assert_eq!(
            erased.unwrap(),
            with_data(envelope, r#"{"guestName":"Guest","id":"x","notes":null}"#)
        );
        let gone = with_data(envelope, r#"{"id":"x","version":2}"#);
        assert_eq!(
            redacted(Holds::Frame, &gone, &BTreeSet::new()).unwrap(),
            None
        );
    }
}

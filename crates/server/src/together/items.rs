//! Reads changes one by one, so that each that cannot be read can be named.

use domain::together::changes::{Change, Item};
use domain::together::kinds::Read;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;
use wire::FieldError;
use wire::together::atomic::{Entity, Op};

use crate::platform::extract::part;

type Faults = Vec<FieldError>;

/// What every change has, beside its fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    op: Op,
    entity: Entity,
    id: Option<Uuid>,
    data: Option<Box<RawValue>>,
    #[serde(alias = "if_version", alias = "baseVersion", alias = "base_version")]
    if_version: Option<i32>,
}

/// What a change in a list of one kind of thing has, beside its fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    id: Uuid,
    #[serde(alias = "if_version")]
    if_version: Option<i32>,
}

/// What names a change, as far as it can be read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Names {
    entity: Option<Box<RawValue>>,
    id: Option<Box<RawValue>>,
    #[serde(alias = "client_id")]
    client_id: Option<Box<RawValue>>,
}

impl Names {
    pub(super) fn of(change: &RawValue) -> Self {
        part(change.get()).unwrap_or_default()
    }

    fn entity(&self) -> Option<Entity> {
        text(self.entity.as_deref())?.parse().ok()
    }

    fn id(&self) -> Option<Uuid> {
        text(self.id.as_deref())?.parse().ok()
    }

    /// The client's own, where it is a text.
    pub(super) fn client_id(&self) -> Option<String> {
        text(self.client_id.as_deref())
    }
}

fn text(value: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(value?.get()).ok()
}

/// A change that says what it does to what.
pub(super) fn operation(index: usize, value: &RawValue) -> Item {
    let (head, names) = (part::<Head>(value.get()), Names::of(value));
    Item {
        index,
        entity: names.entity(),
        id: names.id(),
        version: head.as_ref().ok().and_then(|head| head.if_version),
        change: head.and_then(|head| {
            let data = head.data.as_deref().map_or("{}", RawValue::get);
            Change::read(head.entity, head.op, head.id, &Data(data))
                .map_err(|faults| within("data", faults))
        }),
    }
}

/// A change of one kind of thing, with its fields beside its id.
pub(super) fn update(index: usize, entity: Entity, value: &RawValue) -> Item {
    let head = part::<Update>(value.get());
    Item {
        index,
        entity: Some(entity),
        id: Names::of(value).id(),
        version: head.as_ref().ok().and_then(|head| head.if_version),
        change: head
            .and_then(|head| Change::read(entity, Op::Update, Some(head.id), &Data(value.get()))),
    }
}

/// The fields of a change, as JSON.
struct Data<'d>(&'d str);

impl Read for Data<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Faults> {
        part(self.0)
    }
}

/// Says where the fields stand.
fn within(place: &str, faults: Faults) -> Faults {
    faults
        .into_iter()
        .map(|fault| FieldError {
            field: match fault.field.as_str() {
                "id" => fault.field,
                "body" => place.to_owned(),
                field => format!("{place}.{field}"),
            },
            ..fault
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::together::changes::Edit;
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "0198b2f0-0000-7000-8000-000000000001";

    fn operation(index: usize, value: &Value) -> Item {
        super::operation(index, &to_raw_value(value).unwrap())
    }

    fn faults(item: &Item) -> Vec<String> {
        let faults = item.change.as_ref().err().into_iter().flatten();
        faults
            .map(|fault| format!("{}: {}", fault.field, fault.message))
            .collect()
    }

    #[test]
    fn changes_that_can_be_read() {
        for (value, version) in [
            (
                json!({"op": "delete", "entity": "table", "id": ID, "if_version": 3}),
                Some(3),
            ),
            (
                json!({"op": "update", "entity": "guest", "id": ID, "data": {"party_size": 3}, "baseVersion": 2}),
                Some(2),
            ),
            (
                json!({"op": "create", "entity": "guest", "data": {"guestName": "Ann", "partySize": 2}}),
                None,
            ),
            (json!({"op": "update", "entity": "guest", "id": ID}), None),
        ] {
            let item = operation(7, &value);
            assert_eq!((faults(&item), item.version), (vec![], version), "{value}");
        }
        let capacity = json!({"id": ID, "capacity": 3, "ifVersion": 9});
        let item = update(0, Entity::Table, &to_raw_value(&capacity).unwrap());
        assert!(
            matches!(&item.change, Ok(Change::Table(Edit::Update(_, patch))) if patch.capacity == Some(3))
        );
        assert_eq!(
            (item.version, item.id.map(|id| id.to_string())),
            (Some(9), Some(ID.to_owned()))
        );
    }

    #[test]
    fn faults_name_the_field() {
        for (value, fault) in [
            (json!([]), "body: must be an object"),
            (json!({}), "op: is required"),
            (
                json!({"op": "burn", "entity": "guest"}),
                "op: must be one of create, update, delete",
            ),
            (
                json!({"op": "create", "entity": "dish"}),
                "entity: must be one of guest, table, reservation",
            ),
            (
                json!({"op": "delete", "entity": "guest"}),
                "id: is required",
            ),
            (
                json!({"op": "delete", "entity": "guest", "id": 7}),
                "id: must be an id (a UUID), not a number",
            ),
            (
                json!({"op": "update", "entity": "guest", "id": ID, "data": {"partySize": "two"}}),
                "data.partySize: must be a whole number, not a string",
            ),
            (
                json!({"op": "update", "entity": "guest", "id": ID, "data": [1]}),
                "data: must be an object",
            ),
        ] {
            assert_eq!(faults(&operation(0, &value)), [fault], "{value}");
        }
    }
}

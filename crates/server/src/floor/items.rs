//! Reads changes one by one, so that each that cannot be read can be named.

use std::sync::Arc;

use domain::floor::changes::{Change, Edit, Item};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;
use wire::FieldError;
use wire::floor::atomic::{Entity, Op};

use crate::extract::part;

type Faults = Vec<FieldError>;

/// What every change has, beside its fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    op: Op,
    entity: Entity,
    id: Option<Uuid>,
    #[serde(default)]
    data: Value,
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

/// A change that says what it does to what.
pub(super) fn operation(index: usize, value: &Value) -> Item {
    let head = part::<Head>(value);
    Item {
        index,
        entity: text(value, &["entity"]).and_then(|entity| entity.parse().ok()),
        id: id(value),
        version: head.as_ref().ok().and_then(|head| head.if_version),
        change: head.and_then(|head| {
            let data = match head.data {
                Value::Null => Value::Object(serde_json::Map::new()),
                data => data,
            };
            change(head.entity, head.op, head.id, &data).map_err(|faults| within("data", faults))
        }),
    }
}

/// A change of one kind of thing, with its fields beside its id.
pub(super) fn update(index: usize, entity: Entity, value: &Value) -> Item {
    let head = part::<Update>(value);
    Item {
        index,
        entity: Some(entity),
        id: id(value),
        version: head.as_ref().ok().and_then(|head| head.if_version),
        change: head.and_then(|head| change(entity, Op::Update, Some(head.id), value)),
    }
}

/// Here is what kinds of things there are.
fn change(entity: Entity, op: Op, id: Option<Uuid>, data: &Value) -> Result<Change, Faults> {
    Ok(match entity {
        Entity::Guest => Change::Guest(edit(op, id, data)?),
        Entity::Table => Change::Table(edit(op, id, data)?),
        Entity::Reservation => Change::Reservation(edit(op, id, data)?),
    })
}

fn edit<I, C, U>(op: Op, id: Option<Uuid>, data: &Value) -> Result<Edit<I, C, U>, Faults>
where
    I: From<Uuid>,
    C: DeserializeOwned,
    U: DeserializeOwned,
{
    let id = id.map(I::from);
    let required = |id: Option<I>| {
        id.ok_or_else(|| {
            vec![FieldError {
                field: "id".to_owned(),
                message: "is required".to_owned(),
            }]
        })
    };
    Ok(match op {
        Op::Create => Edit::Create(id, Arc::new(part(data)?)),
        Op::Update => Edit::Update(required(id)?, Arc::new(part(data)?)),
        Op::Delete => Edit::Delete(required(id)?),
    })
}

/// A text under one of its spellings.
pub(super) fn text(value: &Value, names: &[&str]) -> Option<String> {
    let found = names.iter().find_map(|name| value.get(name))?;
    Some(found.as_str()?.to_owned())
}

fn id(value: &Value) -> Option<Uuid> {
    text(value, &["id"])?.parse().ok()
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
    use serde_json::json;

    use super::*;

    const ID: &str = "0198b2f0-0000-7000-8000-000000000001";

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
        let item = update(
            0,
            Entity::Table,
            &json!({"id": ID, "capacity": 3, "ifVersion": 9}),
        );
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

//! What must hold after every test: the rows of a floor agree with each other, and whoever heard
//! all events has exactly the rows.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::floor::guests::GuestStatus;
use wire::floor::tables::TableStatus;

use crate::tablet::Tablet;

type Entities = BTreeMap<String, Value>;

pub(crate) async fn check(tablet: &Tablet) {
    check_seating(tablet).await;
    let head = tablet.head().await;
    assert_eq!(head.pruned_seq, 0, "replaying needs the whole log");
    let events = tablet.events_after(0).await;
    let numbers: Vec<i64> = events.iter().map(|e| e["seq"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=head.last_seq).collect::<Vec<_>>());
    let (guests, tables) = rows(tablet).await;
    assert_eq!(
        replayed(&events, "guest"),
        guests,
        "guests from the log, and the rows"
    );
    assert_eq!(
        replayed(&events, "table"),
        tables,
        "tables from the log, and the rows"
    );
}

/// A table is occupied exactly if a party sits there, and both say so.
async fn check_seating(tablet: &Tablet) {
    let everything = || serde_json::json!({"scope": "all", "limit": 1000});
    let guests = tablet
        .guests_since(chrono::DateTime::UNIX_EPOCH, everything())
        .await
        .unwrap()
        .items;
    let tables = tablet
        .tables(serde_json::json!({"limit": 1000}))
        .await
        .unwrap()
        .items;
    for guest in &guests {
        assert_eq!(guest.table_id, guest.table_ids.first().copied());
        assert!(
            guest.status == GuestStatus::Seated || guest.table_ids.is_empty(),
            "only a seated party has a table: {guest:?}"
        );
        for id in &guest.table_ids {
            let table = tables.iter().find(|table| table.id == *id).unwrap();
            assert_eq!(
                table.current_guest_id,
                Some(guest.id),
                "{guest:?} at {table:?}"
            );
        }
    }
    for table in &tables {
        assert_eq!(
            table.status == TableStatus::Occupied,
            table.current_guest_id.is_some(),
            "occupied is who has a party: {table:?}"
        );
        if let Some(id) = table.current_guest_id {
            let guest = guests.iter().find(|guest| guest.id == id).unwrap();
            assert!(
                guest.table_ids.contains(&table.id),
                "{guest:?} at {table:?}"
            );
        }
    }
}

async fn rows(tablet: &Tablet) -> (Entities, Entities) {
    let by_id = |rows: Vec<Value>| {
        let key = |row: &Value| row["id"].as_str().unwrap().to_owned();
        rows.into_iter().map(|row| (key(&row), row)).collect()
    };
    let filter = serde_json::json!({"scope": "all", "limit": 1000});
    let guests = tablet
        .guests_since(chrono::DateTime::UNIX_EPOCH, filter)
        .await
        .unwrap();
    let tables = tablet
        .tables(serde_json::json!({"limit": 1000}))
        .await
        .unwrap();
    (
        by_id(
            guests
                .items
                .iter()
                .map(|guest| serde_json::to_value(guest).unwrap())
                .collect(),
        ),
        by_id(
            tables
                .items
                .iter()
                .map(|table| serde_json::to_value(table).unwrap())
                .collect(),
        ),
    )
}

/// What a client has that began with nothing and heard every event.
fn replayed(events: &[Value], entity: &str) -> Entities {
    let mut known = Entities::new();
    let id_field = format!("{entity}_id");
    for event in events {
        let Some(id) = event[id_field.as_str()].as_str() else {
            continue;
        };
        let (data, kind) = (event["data"].clone(), event["type"].as_str().unwrap());
        let before = known.remove(id);
        let is_new = kind == format!("{entity}_created");
        assert_eq!(before.is_none(), is_new, "out of order: {event}");
        if let Some(before) = before {
            let (before, after) = (before["version"].as_i64(), data["version"].as_i64());
            assert!(before < after, "versions go up: {event}");
        }
        if kind != format!("{entity}_deleted") {
            known.insert(id.to_owned(), data);
        }
    }
    known
}

//! A person's data: all of them, and then none.

mod erasing;
mod exporting;
mod races;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::Result;
use domain::clock::new_id;
use domain::db::Committed;
use domain::floor::{guests, reservations};
use domain::privacy;
use domain::together::atomic;
use domain::together::atomic::Transaction;
use domain::together::changes::{Change, Edit, Item};
use domain::together::sync;
use domain::together::sync::{Own, Queued};
use serde_json::{Value, json};
use wire::GuestId;
use wire::floor::guests::Guest;
use wire::privacy::Erasure;
use wire::together::atomic::Entity;

use crate::house::House;
use crate::sql::Sql;
use crate::tablet::Tablet;

/// The number, as somebody else spells it.
const NUMBER: &str = "001.555.010.9999";

/// What is nowhere to be found in the end.
const VALUES: [&str; 6] = [
    "Quill",
    "010-9999",
    "5550109999",
    "zacharias@",
    "walnuts",
    "by the window",
];

async fn try_erase(tablet: &Tablet, person: Value) -> Result<Committed<Erasure>> {
    let person = serde_json::from_value(person).unwrap();
    tablet
        .write(async |tx| privacy::erase(tx, &person).await)
        .await
}

async fn erase(tablet: &Tablet, person: Value) -> Erasure {
    try_erase(tablet, person).await.unwrap().value
}

fn item(
    id: Option<GuestId>,
    edit: Edit<GuestId, wire::floor::guests::CreateGuest, wire::floor::guests::UpdateGuest>,
) -> Item {
    Item {
        index: 0,
        entity: Some(Entity::Guest),
        id: id.map(|id| id.0),
        version: None,
        change: Ok(Change::Guest(edit)),
    }
}

/// The party of a person who has left traces wherever there can be any, and sits at a table.
async fn regular(house: &House) -> Guest {
    let tablet = &house.tablet;
    let table = tablet.add_table("1", 4).await;
    let add = async |name: &str, more: Value| {
        let mut input = json!({"guestName": name, "partySize": 2});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        tablet.try_add_guest(input).await.unwrap()
    };
    // A visit that is over, and one that was taken down twice.
    let before = add("Z. Quill", json!({"phone": "+1 (555) 010-9999"})).await;
    tablet
        .change_guest(before.id, json!({"status": "cancelled"}))
        .await;
    let twice = add(
        "Quill",
        json!({"phone": "15550109999", "notes": "no walnuts"}),
    )
    .await;
    tablet.delete_guest(twice.id, None).await.unwrap();
    // A party that had the number by mistake.
    let mistaken = add("Quill?", json!({"phone": "1 555 010-9999"})).await;
    tablet
        .change_guest(mistaken.id, json!({"phone": "5", "guestName": "Bob"}))
        .await;
    // A booking, and the party that it became, under the same address.
    let input = serde_json::from_value(json!({
        "guestName": "Zacharias Quill", "partySize": 2, "tableIds": [table.id],
        "reservationTime": house.test.clock.now() + TimeDelta::minutes(30),
        "guestPhone": "+1 (555) 010-9999", "guestEmail": "Zacharias@example.com",
        "notes": "by the window", "specialRequests": "no walnuts",
    }))
    .unwrap();
    let booked = tablet
        .write(async |tx| {
            let made = reservations::create(tx, &input).await?;
            reservations::seat(tx, made.id, &serde_json::from_value(json!({}))?).await
        })
        .await
        .unwrap();
    let party = booked.value.guest_id.unwrap();
    tablet
        .change_guest(
            party,
            json!({"tags": ["quill-fan"], "dietaryRestrictions": ["walnuts"], "lastName": "Quill"}),
        )
        .await;
    remember(tablet, party).await;
    tablet.guest(party).await.unwrap()
}

/// Answers that clients got: of one who made and removed a party at once, and of one who was told
/// about the party by its name.
async fn remember(tablet: &Tablet, party: GuestId) {
    let brief: GuestId = new_id();
    let input = json!({"guestName": "Quill", "partySize": 2, "phone": "+15550109999"});
    let input = serde_json::from_value::<wire::floor::guests::CreateGuest>(input).unwrap();
    let transaction = Transaction {
        id: new_id(),
        fingerprint: [1; 32],
        items: vec![
            item(Some(brief), Edit::Create(Some(brief), input.clone().into())),
            item(Some(brief), Edit::Delete(brief)),
        ],
    };
    tablet
        .write(async |tx| atomic::run(tx, &transaction).await)
        .await
        .unwrap();
    let queued = Queued {
        client_id: "1".to_owned(),
        fingerprint: [2; 32],
        item: item(Some(party), Edit::Create(Some(party), input.into())),
    };
    let (results, _) = tablet
        .write(async |tx| sync::apply(tx, std::slice::from_ref(&queued), &Own::default()).await)
        .await
        .unwrap()
        .value;
    assert!(results[0].message.as_ref().unwrap().contains("Quill"));
}

/// The tables in which a text can be found, in whatever column.
async fn tables_with(sql: &Sql, text: &str) -> BTreeSet<String> {
    let tables = sql
        .all::<String>(
            "SELECT table_name::text FROM information_schema.tables
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
        )
        .await;
    let mut found = BTreeSet::new();
    for table in tables {
        let query = format!("SELECT count(*) FROM {table} WHERE {table}::text ILIKE '%{text}%'");
        if sql.one::<i64>(&query).await > 0 {
            found.insert(table);
        }
    }
    found
}

async fn guest(tablet: &Tablet, id: GuestId) -> Guest {
    let here = tablet.id();
    let read = tablet
        .db
        .read("test", async |conn| guests::get(conn, here, id).await);
    read.await.unwrap()
}

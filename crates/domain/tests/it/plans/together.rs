//! Several changes at once, and changes that may be sent again.

use std::sync::Arc;

use domain::db::{Answer, Committed, PgConnection, Tx};
use domain::floor::guests;
use domain::remembered::{self, Once};
use domain::together::changes::{Change, Edit, Item};
use domain::together::sync::{Own, Queued};
use domain::together::{atomic, batch, sync};
use serde_json::json;
use wire::TransactionId;
use wire::together::atomic::Entity;

use super::large::{House, id, read as from};

pub(super) async fn change(house: &House) {
    let transaction: TransactionId = id(1_000 + house.round);
    let items = items(house);
    let update = async |tx: &mut Tx<'_>| batch::update(tx, transaction, &items).await;
    house.write("batch.update", "", update).await;

    let asked = atomic::Transaction {
        id: transaction,
        fingerprint: [1; 32],
        items: items.clone(),
    };
    for (what, is_repeated) in [("new", false), ("sent again", true)] {
        let run = async |tx: &mut Tx<'_>| atomic::run(tx, &asked).await;
        let answer = house.write("atomic.run", what, run).await;
        assert_eq!(answer.is_repeated, is_repeated);
    }

    let queue: Vec<Queued> = items
        .into_iter()
        .map(|item| Queued {
            client_id: format!("tablet-{}-{}", house.round, item.index),
            fingerprint: [2; 32],
            item: Item {
                version: Some(1),
                ..item
            },
        })
        .collect();
    for what in ["new", "sent again"] {
        let apply = async |tx: &mut Tx<'_>| sync::apply(tx, &queue, &Own::default()).await;
        house.write("sync.batch", what, apply).await;
    }
    once(house).await;
}

/// A party and a table that somebody changed.
fn items(house: &House) -> Vec<Item> {
    let guest = from(json!({"notes": format!("at {}", house.round)}));
    let table = from(json!({"section": format!("Section {}", house.round)}));
    let (party, place) = (house.waiting(3), house.free_table(4));
    [
        (
            Entity::Guest,
            party.0,
            Change::Guest(Edit::Update(party, Arc::new(guest))),
        ),
        (
            Entity::Table,
            place.0,
            Change::Table(Edit::Update(place, Arc::new(table))),
        ),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, (entity, id, change))| Item {
        index,
        entity: Some(entity),
        id: Some(id),
        version: None,
        change: Ok(change),
    })
    .collect()
}

/// A request under a key, new and sent again.
async fn once(house: &House) {
    let key = u8::try_from(house.round).unwrap();
    let once = Once {
        key: [key; 32],
        body: [3; 32],
    };
    let input = from(json!({"guestName": "Bert", "partySize": 3}));
    for what in ["with a key", "with a key, sent again"] {
        let mark = async |_: &mut PgConnection| Ok(());
        house.read("guests.create", what, mark).await;
        let create = async |tx: &mut Tx<'_>| guests::create(tx, &input).await;
        let answer = |done: Committed<_>| Ok((done, "{}".to_owned()));
        let scope = house.scope();
        let done = house
            .db
            .write_once("guests.create", &scope, once, create, answer)
            .await
            .unwrap();
        assert_eq!(matches!(done.value, Answer::New(_)), what == "with a key");
    }
    let here = house.id();
    let name = "answers.get";
    house
        .read(name, "", async |conn| {
            remembered::answer_of(conn, here, &once).await
        })
        .await;
}

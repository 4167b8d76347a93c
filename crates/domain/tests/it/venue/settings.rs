//! How a restaurant works is read once by a transaction, however many operations ask.

use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel_async::AsyncConnection;
use domain::Result;
use domain::db::Tx;
use domain::floor::{guests, reservations, tables};
use domain::venue::restaurants;
use serde_json::json;
use wire::floor::tables::TableStatus;

use crate::house::House;
use crate::sql::Sql;
use crate::tablet::{Tablet, read};

/// How often a transaction read the settings: by a statement of their own, and with the lock.
async fn readings(
    tablet: &Tablet,
    body: impl AsyncFn(&mut Tx<'_>) -> Result<()>,
) -> (usize, usize) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    tablet
        .write(async |tx| {
            let seen = Arc::clone(&seen);
            tx.conn
                .set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    if let InstrumentationEvent::StartQuery { query, .. } = event {
                        seen.lock().unwrap().push(query.to_string());
                    }
                });
            body(tx).await
        })
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    let reading = seen
        .iter()
        .filter(|statement| statement.contains("\"restaurants\".\"settings\""));
    let (locking, plain): (Vec<_>, Vec<_>) =
        reading.partition(|statement| statement.contains("FOR NO KEY UPDATE"));
    (plain.len(), locking.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn are_read_once_whatever_is_done() {
    let house = House::open().await;
    let tablet = &house.tablet;
    let long = json!({"settings": {"reserveTablesMinutesBefore": 30}});
    tablet.change_restaurant(long).await;
    for number in ["1", "2", "3"] {
        tablet.add_table(number, 4).await;
    }
    let at = |hours: i64| house.test.clock.now() + chrono::TimeDelta::hours(hours);

    // Its turn time, the hours of the house, the tables that are free, and when they show.
    let booking = read(json!({"guestName": "Ada", "partySize": 2, "reservationTime": at(2)}));
    let book = async |tx: &mut Tx<'_>| reservations::create(tx, &booking).await.map(|_| ());
    assert_eq!(readings(tablet, book).await, (1, 1));

    let booking = read(json!({
        "guestName": "Bob", "partySize": 2, "reservationTime": at(2), "durationMinutes": 60,
    }));
    let book = async |tx: &mut Tx<'_>| reservations::create(tx, &booking).await.map(|_| ());
    assert_eq!(readings(tablet, book).await, (0, 1));

    let guests: Vec<_> = [
        tablet.add_guest("Cy", 2).await.id,
        tablet.add_guest("Di", 2).await.id,
    ]
    .into();
    let told = read(json!({"status": "notified"}));
    let seated = read(json!({"status": "seated", "tableId": tablet.add_table("4", 4).await.id}));
    let left = read(json!({"status": "completed"}));
    let evening = async |tx: &mut Tx<'_>| {
        reservations::create(tx, &booking).await?;
        for guest in &guests {
            guests::update(tx, *guest, &told, None).await?;
            guests::update(tx, *guest, &seated, None).await?;
            guests::update(tx, *guest, &left, None).await?;
        }
        Ok(())
    };
    assert_eq!(readings(tablet, evening).await, (0, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_transaction_changes_it_has_from_then_on() {
    let house = House::open().await;
    let tablet = &house.tablet;
    let table = tablet.add_table("1", 4).await.id;
    let guest = tablet.add_guest("Ada", 2).await.id;
    let told = read(json!({"status": "notified"}));
    let seated = read(json!({"status": "seated", "tableId": table}));
    let left = read(json!({"status": "completed"}));
    let cleaning = read(json!({"settings": {"needsCleaning": true}}));
    let here = tablet.id();
    let done = tablet.write(async |tx| {
        guests::update(tx, guest, &told, None).await?;
        guests::update(tx, guest, &seated, None).await?;
        restaurants::update(tx, &cleaning, None).await?;
        guests::update(tx, guest, &left, None).await?;
        tables::get(tx.conn, here, table).await
    });
    assert_eq!(done.await.unwrap().value.status, TableStatus::NeedsCleaning);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_worker_has_set_stays() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let newer = "settings = settings || '{\"kitchen\": {\"heat\": 3}}'";
    sql.run(&format!("UPDATE restaurants SET {newer}")).await;
    let changed = house
        .tablet
        .change_restaurant(json!({"settings": {"needsCleaning": true}}))
        .await;
    assert!(changed.settings.floor.needs_cleaning);
    let heat = "SELECT settings #>> '{kitchen,heat}' FROM restaurants";
    assert_eq!(sql.one::<String>(heat).await, "3");
    house.close().await;
}

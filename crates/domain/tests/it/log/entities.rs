//! One event per entity and transaction, with its final state; none where nothing changed.

use domain::floor::{guests, tables};
use domain::venue::restaurants;
use serde_json::{Value, json};
use wire::floor::guests::{CreateGuest, UpdateGuest};
use wire::floor::tables::{CreateTable, UpdateTable};
use wire::venue::restaurants::UpdateRestaurant;

use crate::house::House;

fn renamed(name: &str) -> UpdateGuest {
    UpdateGuest {
        guest_name: Some(name.to_owned()),
        ..UpdateGuest::default()
    }
}

fn new_guest(name: &str) -> CreateGuest {
    CreateGuest {
        guest_name: Some(name.to_owned()),
        party_size: Some(2),
        ..CreateGuest::default()
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_changes_nothing_is_none() {
    let house = House::open().await;
    let (guest, table) = (
        house.tablet.add_guest("Ada", 2).await,
        house.tablet.add_table("1", 4).await,
    );
    let restaurant = house
        .tablet
        .change_restaurant(json!({"name": "Another"}))
        .await;
    let before = house.tablet.head().await;

    let none = house
        .tablet
        .write(async |tx| {
            let same = guests::update(tx, guest.id, &renamed("Ada"), None).await?;
            assert_eq!(same, guest);
            let same = tables::update(tx, table.id, &UpdateTable::default(), None).await?;
            assert_eq!(same, table);
            let patch = UpdateRestaurant {
                name: Some("Another".to_owned()),
                ..UpdateRestaurant::default()
            };
            assert_eq!(restaurants::update(tx, &patch, None).await?, restaurant);
            Ok(())
        })
        .await
        .unwrap();
    assert!(none.appended.is_none());
    assert_eq!(house.tablet.head().await, before);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn made_and_changed_is_made() {
    let house = House::open().await;
    house
        .tablet
        .write(async |tx| {
            let guest = guests::create(tx, &new_guest("Ada")).await?;
            guests::update(tx, guest.id, &renamed("Byron"), None).await
        })
        .await
        .unwrap();
    let events = house.tablet.events_after(0).await;
    assert_eq!(types(&events), ["guest_created"]);
    assert_eq!(events[0]["action"], "created");
    assert_eq!(events[0]["data"]["guestName"], "Byron");
    assert_eq!(events[0]["data"]["version"], 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn made_and_removed_was_never_there() {
    let house = House::open().await;
    let done = house
        .tablet
        .write(async |tx| {
            let guest = guests::create(tx, &new_guest("Ada")).await?;
            guests::update(tx, guest.id, &renamed("Byron"), None).await?;
            guests::delete(tx, guest.id, None).await
        })
        .await
        .unwrap();
    assert!(done.appended.is_none());
    assert_eq!(house.tablet.head().await.last_seq, 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_and_removed_is_removed() {
    let house = House::open().await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    house
        .tablet
        .write(async |tx| {
            guests::update(tx, guest.id, &renamed("Byron"), None).await?;
            guests::delete(tx, guest.id, None).await
        })
        .await
        .unwrap();
    let events = house.tablet.events_after(1).await;
    assert_eq!(types(&events), ["guest_deleted"]);
    assert_eq!(events[0]["action"], "deleted");
    assert_eq!(events[0]["guest_id"], guest.id.to_string());
    assert_eq!(events[0]["data"], json!({"id": guest.id, "version": 3}));
    house.close().await;
}

/// The weightier of two actions is told, and the events stand in the order of the first changes.
#[tokio::test(flavor = "multi_thread")]
async fn changed_twice_is_told_once_with_the_weightier_action() {
    let house = House::open().await;
    let (guest, table) = (
        house.tablet.add_guest("Ada", 2).await,
        house.tablet.add_table("1", 4).await,
    );
    house
        .tablet
        .write(async |tx| {
            guests::update(tx, guest.id, &renamed("Byron"), None).await?;
            let table_patch = UpdateTable {
                capacity: Some(6),
                ..UpdateTable::default()
            };
            tables::update(tx, table.id, &table_patch, None).await?;
            let seated = UpdateGuest {
                table_id: Some(Some(table.id)),
                ..UpdateGuest::default()
            };
            guests::update(tx, guest.id, &seated, None).await?;
            guests::update(tx, guest.id, &renamed("Lovelace"), None).await
        })
        .await
        .unwrap();
    let events = house.tablet.events_after(2).await;
    assert_eq!(types(&events), ["guest_updated", "table_updated"]);
    assert_eq!(events[0]["action"], "status_changed");
    assert_eq!(events[0]["data"]["guestName"], "Lovelace");
    assert_eq!(events[0]["data"]["version"], 4);
    assert_eq!(events[1]["action"], "status_changed");
    assert_eq!(events[1]["data"]["capacity"], 6);
    assert_eq!(events[1]["data"]["currentGuestId"], guest.id.to_string());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_transaction_of_the_clients_say_so() {
    let house = House::open().await;
    let mut tablet = house.tablet.clone();
    tablet.scope.transaction_id = Some(domain::clock::new_id());
    tablet
        .write(async |tx| {
            guests::create(tx, &new_guest("Ada")).await?;
            let table = CreateTable {
                table_number: Some("1".to_owned()),
                capacity: Some(4),
                ..CreateTable::default()
            };
            tables::create(tx, &table).await
        })
        .await
        .unwrap();
    let events = tablet.events_after(0).await;
    assert_eq!(types(&events), ["guest_created", "table_created"]);
    let id = tablet.scope.transaction_id.unwrap().to_string();
    assert!(events.iter().all(|event| event["transaction_id"] == id));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_sees_a_restaurant_without_its_settings() {
    let house = House::open().await;
    let changed = house
        .tablet
        .write(async |tx| {
            let patch = serde_json::from_value(json!({"settings": {"needsCleaning": true}}))?;
            restaurants::update(tx, &patch, None).await
        })
        .await
        .unwrap();
    let event = changed.appended.unwrap().events.remove(0);
    let frame: Value = serde_json::from_str(&event.frame).unwrap();
    let public: Value = serde_json::from_str(&event.public_frame.unwrap()).unwrap();
    assert_eq!(frame["data"]["settings"]["needsCleaning"], true);
    assert_eq!(frame["data"], serde_json::to_value(&changed.value).unwrap());
    let fields: Vec<&String> = public["data"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "name", "slug", "timeZone", "version"]);
    for field in ["seq", "type", "restaurant_id", "action", "timestamp"] {
        assert_eq!(public[field], frame[field]);
    }
    assert!(public.get("actor_id").is_none());
    house.close().await;
}

//! Tables at which a party may not sit.

use serde_json::{Value, json};
use wire::ErrorCode;
use wire::Role;
use wire::floor::tables::Table;

use crate::house::{House, missing};
use crate::support::{code, fields};
use crate::tablet::Tablet;

#[tokio::test(flavor = "multi_thread")]
async fn names_tables_once_and_alike() {
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    let guest = house.tablet.add_guest("Ada", 2).await;
    let eleven: Vec<wire::TableId> = (0..11).map(|_| domain::clock::new_id()).collect();
    for (patch, field) in [
        (json!({"tableIds": [one.id, one.id]}), "tableIds"),
        (json!({"tableIds": eleven}), "tableIds"),
        (
            json!({"tableId": one.id, "tableIds": [two.id, one.id]}),
            "tableId",
        ),
        (json!({"tableId": null, "tableIds": [two.id]}), "tableId"),
        (json!({"tableId": one.id, "status": "cancelled"}), "tableId"),
    ] {
        let refused = house.tablet.try_change_guest(guest.id, patch.clone()).await;
        assert_eq!(fields(refused), [field], "{patch}");
    }
    let both = json!({"tableId": two.id, "tableIds": [two.id, one.id]});
    assert_eq!(
        house.tablet.change_guest(guest.id, both).await.table_ids,
        [two.id, one.id]
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_a_table_that_is_taken_or_out_of_use() {
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    let (ada, bea) = (
        house.tablet.add_guest("Ada", 2).await,
        house.tablet.add_guest("Bea", 2).await,
    );
    house.tablet.seat(&ada, &[&one]).await.unwrap();
    let taken = house.tablet.seat(&bea, &[&one]).await;
    assert_eq!(code(taken), ErrorCode::TableOccupied);
    assert_eq!(
        code(house.tablet.seat(&bea, &[&two, &one]).await),
        ErrorCode::TableOccupied
    );
    let at_once = json!({"guestName": "Cleo", "partySize": 2, "tableId": one.id});
    assert_eq!(
        code(house.tablet.try_add_guest(at_once).await),
        ErrorCode::TableOccupied
    );

    let patch = json!({"status": "out_of_service"});
    house.tablet.change_table(two.id, patch).await.unwrap();
    assert_eq!(
        code(house.tablet.seat(&bea, &[&two]).await),
        ErrorCode::TableOccupied
    );
    for status in ["reserved", "needs_cleaning"] {
        house
            .tablet
            .change_table(two.id, json!({"status": status}))
            .await
            .unwrap();
        house.tablet.seat(&bea, &[&two]).await.unwrap();
        house
            .tablet
            .change_guest(bea.id, json!({"status": "waiting"}))
            .await;
    }
    house
        .tablet
        .change_table(two.id, json!({"isActive": false}))
        .await
        .unwrap();
    assert_eq!(missing(house.tablet.seat(&bea, &[&two]).await), "table");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_a_table_that_is_not_there() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let (ours, theirs) = (
        house.tablet.add_table("1", 4).await,
        other.add_table("1", 4).await,
    );
    let guest = house.tablet.add_guest("Ada", 2).await;
    assert_eq!(
        missing(house.tablet.seat(&guest, &[&theirs]).await),
        "table"
    );
    assert_eq!(
        missing(house.tablet.seat(&guest, &[&ours, &theirs]).await),
        "table"
    );
    let nowhere = json!({"tableId": domain::clock::new_id::<wire::TableId>()});
    assert_eq!(
        missing(house.tablet.try_change_guest(guest.id, nowhere).await),
        "table"
    );
    let at_once = json!({"guestName": "Bea", "partySize": 2, "tableId": theirs.id});
    assert_eq!(missing(house.tablet.try_add_guest(at_once).await), "table");
    assert_eq!(other.table(theirs.id).await.unwrap(), theirs);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_as_many_seats_as_guests() {
    let house = House::open().await;
    let staff = house.tablet(Role::Staff);
    let (two, four) = (
        house.tablet.add_table("1", 2).await,
        house.tablet.add_table("2", 4).await,
    );
    let guest = staff.add_guest("Ada", 5).await;
    let ids = |tables: &[&Table]| tables.iter().map(|table| table.id).collect::<Vec<_>>();
    let too_close = json!({"tableIds": ids(&[&four])});
    assert_eq!(
        code(staff.try_change_guest(guest.id, too_close).await),
        ErrorCode::PartyTooLarge
    );
    let closer = json!({"tableIds": ids(&[&four]), "allowOverCapacity": true});
    let refused = staff.try_change_guest(guest.id, closer.clone()).await;
    assert_eq!(
        code(refused),
        ErrorCode::Forbidden,
        "that is a manager's word"
    );
    let joined = json!({"tableIds": ids(&[&two, &four])});
    staff.change_guest(guest.id, joined).await;
    house.tablet.change_guest(guest.id, closer).await;

    // It grows where it sits.
    let more = json!({"partySize": 6});
    assert_eq!(
        code(staff.try_change_guest(guest.id, more).await),
        ErrorCode::PartyTooLarge
    );
    let more = json!({"partySize": 6, "allowOverCapacity": true});
    assert_eq!(
        code(staff.try_change_guest(guest.id, more.clone()).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        house.tablet.change_guest(guest.id, more).await.party_size,
        6
    );
    // What is seated already may be told of, and may shrink.
    staff
        .change_guest(
            guest.id,
            json!({"notes": "a bit close", "status": "seated"}),
        )
        .await;
    staff.change_guest(guest.id, json!({"partySize": 5})).await;
    staff
        .change_guest(guest.id, json!({"status": "completed"}))
        .await;

    let at_once = |more: Value| {
        let mut input = json!({"guestName": "Bea", "partySize": 3, "tableId": two.id});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        input
    };
    let override_it = json!({"allowOverCapacity": true});
    assert_eq!(
        code(staff.try_add_guest(at_once(json!({}))).await),
        ErrorCode::PartyTooLarge
    );
    assert_eq!(
        code(staff.try_add_guest(at_once(override_it.clone())).await),
        ErrorCode::Forbidden
    );
    house
        .tablet
        .try_add_guest(at_once(override_it))
        .await
        .unwrap();
    house.close().await;
}

//! What the status of a table may become, with and without a party.

use serde_json::json;
use wire::ErrorCode;
use wire::Role;
use wire::floor::guests::GuestStatus;
use wire::floor::tables::TableStatus;

use crate::house::{House, missing};
use crate::support::code;
use crate::tablet::Tablet;

/// Whoever sits there is asked to go first.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_party_stay_as_they_are() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let occupied = json!({"status": "occupied"});
    let nobody = house.tablet.change_table(table.id, occupied.clone()).await;
    assert_eq!(code(nobody), ErrorCode::Conflict, "that comes from seating");
    let new = json!({"tableNumber": "2", "capacity": 4, "status": "occupied"});
    assert_eq!(
        code(house.tablet.try_add_table(new).await),
        ErrorCode::Conflict
    );

    let guest = house.tablet.add_guest("Ada", 2).await;
    house.tablet.seat(&guest, &[&table]).await.unwrap();
    for patch in [
        json!({"status": "available"}),
        json!({"status": "out_of_service"}),
        json!({"status": "needs_cleaning"}),
        json!({"isActive": false}),
    ] {
        let refused = house.tablet.change_table(table.id, patch.clone()).await;
        assert_eq!(code(refused), ErrorCode::TableOccupied, "{patch}");
    }
    assert_eq!(
        code(house.tablet.delete_table(table.id, None).await),
        ErrorCode::TableOccupied
    );
    let before = house.tablet.table(table.id).await.unwrap();
    assert_eq!(
        house.tablet.change_table(table.id, occupied).await.unwrap(),
        before
    );
    let moved = json!({"position": {"x": 0.1, "y": 0.1}, "section": "Main"});
    let moved = house.tablet.change_table(table.id, moved).await.unwrap();
    assert_eq!(
        (moved.status, moved.current_guest_id),
        (TableStatus::Occupied, Some(guest.id))
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn are_cleared() {
    let house = House::open().await;
    let staff = house.tablet(Role::Staff);
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    for (needs_cleaning, used) in [
        (false, TableStatus::Available),
        (true, TableStatus::NeedsCleaning),
    ] {
        let settings = json!({"settings": {"needsCleaning": needs_cleaning}});
        house.tablet.change_restaurant(settings).await;
        let guest = house.tablet.add_guest("Ada", 2).await;
        house.tablet.seat(&guest, &[&one, &two]).await.unwrap();
        let cleared = staff.clear(two.id).await.unwrap();
        assert_eq!((cleared.status, cleared.current_guest_id), (used, None));
        let other = house.tablet.table(one.id).await.unwrap();
        assert_eq!(
            (other.status, other.current_guest_id),
            (used, None),
            "all that it held"
        );
        let gone = house.tablet.guest(guest.id).await.unwrap();
        assert_eq!((gone.status, gone.table_id), (GuestStatus::Completed, None));
        assert_eq!(gone.finished_time, Some(house.test.clock.now()));
    }
    for (status, after) in [
        ("needs_cleaning", TableStatus::Available),
        ("reserved", TableStatus::Available),
        ("available", TableStatus::Available),
        ("out_of_service", TableStatus::OutOfService),
    ] {
        house
            .tablet
            .change_table(one.id, json!({"status": status}))
            .await
            .unwrap();
        let cleared = staff.clear(one.id).await.unwrap();
        assert_eq!(
            (cleared.status, cleared.current_guest_id),
            (after, None),
            "{status}"
        );
        assert_eq!(
            staff.clear(one.id).await.unwrap(),
            cleared,
            "once is enough"
        );
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_another_restaurant_are_not_there() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let theirs = other.add_table("1", 4).await;
    let guest = other.add_guest("Ada", 2).await;
    other.seat(&guest, &[&theirs]).await.unwrap();
    let before = other.head().await;
    assert_eq!(missing(house.tablet.table(theirs.id).await), "table");
    assert_eq!(
        missing(
            house
                .tablet
                .change_table(theirs.id, json!({"status": "reserved"}))
                .await
        ),
        "table"
    );
    assert_eq!(
        missing(
            house
                .tablet
                .change_table_at(theirs.id, Some(9), json!({}))
                .await
        ),
        "table"
    );
    assert_eq!(
        missing(house.tablet.delete_table(theirs.id, None).await),
        "table"
    );
    assert_eq!(missing(house.tablet.clear(theirs.id).await), "table");
    assert_eq!(other.head().await, before);
    house.close().await;
}

//! What was read, and by whom it may be read.

use serde_json::json;

use crate::house::{House, missing, stale};
use crate::tablet::Tablet;

#[tokio::test(flavor = "multi_thread")]
async fn are_changed_and_removed_at_the_version_that_was_read() {
    let house = House::open().await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let change = json!({"notes": "by the window"});
    let changed = house
        .tablet
        .change_guest_at(guest.id, Some(1), change.clone())
        .await
        .unwrap();
    assert_eq!(changed.version, 2);

    let current = serde_json::to_value(&changed).unwrap();
    let patch = json!({"notes": "at the door"});
    assert_eq!(
        stale(house.tablet.change_guest_at(guest.id, Some(1), patch).await),
        current
    );
    let same = house
        .tablet
        .change_guest_at(guest.id, Some(1), change)
        .await;
    assert_eq!(
        stale(same),
        current,
        "also for a change that would change nothing"
    );
    assert_eq!(
        stale(house.tablet.delete_guest(guest.id, Some(1)).await),
        current
    );
    assert_eq!(house.tablet.guest(guest.id).await.unwrap(), changed);

    house.tablet.delete_guest(guest.id, Some(2)).await.unwrap();
    assert_eq!(missing(house.tablet.guest(guest.id).await), "guest");
    assert_eq!(
        missing(house.tablet.delete_guest(guest.id, None).await),
        "guest"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_another_restaurant_are_not_there() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let theirs = other.add_guest("Ada", 2).await;
    let id = theirs.id;
    assert_eq!(missing(house.tablet.guest(id).await), "guest");
    assert_eq!(
        missing(
            house
                .tablet
                .try_change_guest(id, json!({"notes": "x"}))
                .await
        ),
        "guest"
    );
    let status = json!({"status": "cancelled"});
    assert_eq!(
        missing(house.tablet.change_guest_at(id, Some(1), status).await),
        "guest"
    );
    assert_eq!(missing(house.tablet.delete_guest(id, None).await), "guest");
    assert_eq!(other.guest(id).await.unwrap(), theirs);
    house.close().await;
}

//! Tables that are shown as reserved before a booking.

use chrono::TimeDelta;
use serde_json::{Value, json};
use wire::TableId;
use wire::floor::reservations::Reservation;
use wire::floor::tables::TableStatus;

use super::due::pass;
use crate::house::House;

async fn book(house: &House, table: TableId, in_minutes: i64) -> Reservation {
    let time = house.test.clock.now() + TimeDelta::minutes(in_minutes);
    let booking = json!({
        "guestName": "Ada", "partySize": 2, "tableIds": [table], "reservationTime": time,
        "durationMinutes": 60,
    });
    house.tablet.book(booking).await
}

async fn status(house: &House, table: TableId) -> TableStatus {
    house.tablet.table(table).await.unwrap().status
}

fn later(house: &House, minutes: i64) {
    house.test.clock.advance(TimeDelta::minutes(minutes));
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_quarter_of_an_hour_before_until_the_time_is_over() {
    use TableStatus::{Available, Reserved};
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await.id;
    book(&house, table, 30).await;
    assert_eq!(
        (pass(house.db()).await, status(&house, table).await),
        (0, Available)
    );
    later(&house, 15);
    let before = house.tablet.head().await.last_seq;
    assert_eq!(
        (pass(house.db()).await, status(&house, table).await),
        (1, Reserved)
    );
    assert_eq!(pass(house.db()).await, 0, "once");
    let events = house.tablet.events_after(before).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["action"], &events[0]["data"]["status"]),
        (&json!("status_changed"), &json!("reserved"))
    );
    // The party never comes, and nobody says so.
    later(&house, 74);
    assert_eq!(
        (pass(house.db()).await, status(&house, table).await),
        (0, Reserved)
    );
    later(&house, 1);
    assert_eq!(
        (pass(house.db()).await, status(&house, table).await),
        (1, Available)
    );
    assert_eq!(pass(house.db()).await, 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn until_the_booking_is_gone_moved_or_sits() {
    use TableStatus::{Available, Occupied, Reserved};
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    let tomorrow = house.test.clock.now() + TimeDelta::days(1);
    for (patch, at_one, at_two) in [
        (json!({"status": "cancelled"}), Available, Available),
        (json!({"status": "no_show"}), Available, Available),
        (json!({"reservationTime": tomorrow}), Available, Available),
        (json!({"tableIds": [two.id]}), Available, Reserved),
        (json!({"status": "arrived"}), Reserved, Available),
        (json!({"status": "seated"}), Occupied, Available),
        (
            json!({"status": "seated", "tableIds": [two.id]}),
            Available,
            Occupied,
        ),
    ] {
        let booking = book(&house, one.id, 10).await;
        assert_eq!(
            status(&house, one.id).await,
            Reserved,
            "within the quarter, at once"
        );
        house.tablet.change_booking(booking.id, patch.clone()).await;
        let found = (status(&house, one.id).await, status(&house, two.id).await);
        assert_eq!(found, (at_one, at_two), "{patch}");
        // Undone, it is expected again.
        if at_one == Occupied {
            house
                .tablet
                .change_booking(booking.id, json!({"status": "arrived"}))
                .await;
            assert_eq!(status(&house, one.id).await, Reserved);
        }
        let over = if patch["status"] == "seated" && at_one != Occupied {
            "completed"
        } else {
            "cancelled"
        };
        if !matches!(patch["status"].as_str(), Some("cancelled" | "no_show")) {
            house
                .tablet
                .change_booking(booking.id, json!({"status": over}))
                .await;
        }
        let found = (status(&house, one.id).await, status(&house, two.id).await);
        assert_eq!(found, (Available, Available), "after {patch}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_soon_as_they_are_free() {
    use TableStatus::{Available, NeedsCleaning, Occupied, Reserved};
    let house = House::open().await;
    let cleaning = json!({"settings": {"needsCleaning": true}});
    house.tablet.change_restaurant(cleaning).await;
    let table = house.tablet.add_table("1", 4).await;
    let guest = house.tablet.add_guest("Walk-in", 2).await;
    house.tablet.seat(&guest, &[&table]).await.unwrap();
    let booking = book(&house, table.id, 60).await;
    later(&house, 50);
    assert_eq!(
        (pass(house.db()).await, status(&house, table.id).await),
        (1, Occupied)
    );
    house.tablet.clear(table.id).await.unwrap();
    assert_eq!(status(&house, table.id).await, NeedsCleaning);
    let clean = house.tablet.clear(table.id).await.unwrap();
    assert_eq!(clean.status, Reserved, "clean, and kept");
    // The host's own word stands.
    let free = house
        .tablet
        .change_table(table.id, json!({"status": "available"}))
        .await;
    assert_eq!(free.unwrap().status, Available);
    assert_eq!(
        (pass(house.db()).await, status(&house, table.id).await),
        (0, Available)
    );

    // A party that sat down by mistake.
    let other = house.tablet.add_guest("Walk-in", 2).await;
    house.tablet.seat(&other, &[&table]).await.unwrap();
    house
        .tablet
        .change_guest(other.id, json!({"status": "waiting"}))
        .await;
    assert_eq!(status(&house, table.id).await, Reserved);
    // The booking's party comes and sits elsewhere.
    let two = house.tablet.add_table("2", 4).await;
    let arrived = house
        .tablet
        .change_booking(booking.id, json!({"status": "arrived"}))
        .await;
    let party = arrived.guest_id.unwrap();
    house
        .tablet
        .change_guest(party, json!({"tableId": two.id}))
        .await;
    assert_eq!(status(&house, table.id).await, Available);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_long_before_as_the_settings_say() {
    use TableStatus::{Available, Reserved};
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await.id,
        house.tablet.add_table("2", 4).await.id,
    );
    book(&house, one, 120).await;
    let set = async |minutes: Value| {
        let settings = json!({"reserveTablesMinutesBefore": minutes});
        house
            .tablet
            .change_restaurant(json!({"settings": settings}))
            .await;
    };
    set(json!(null)).await;
    book(&house, two, 120).await;
    later(&house, 110);
    assert_eq!(
        (pass(house.db()).await, status(&house, one).await),
        (0, Available)
    );
    set(json!(60)).await;
    assert_eq!(pass(house.db()).await, 2);
    assert_eq!(
        (status(&house, one).await, status(&house, two).await),
        (Reserved, Reserved)
    );
    house.close().await;
}

//! Lists of parties: which, in which order, and page by page.

use chrono::{DateTime, TimeDelta, Utc};
use domain::venue::restaurants;
use serde_json::json;

use crate::house::House;
use crate::support::fields;
use crate::tablet::Tablet;

/// The names on the present floor.
async fn floor(tablet: &Tablet, now: DateTime<Utc>) -> Vec<String> {
    let here = tablet.id();
    let view = tablet
        .db
        .read("test", async |conn| {
            restaurants::floor_view(conn, here, now).await
        })
        .await
        .unwrap();
    let page = tablet
        .guests_since(view.service_day_start, json!({}))
        .await
        .unwrap();
    page.items
        .into_iter()
        .map(|guest| guest.guest_name)
        .collect()
}

async fn with_two() -> House {
    let house = House::open().await;
    house.tablet.add_guest("Ada", 2).await;
    house.tablet.add_guest("Bea", 2).await;
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn by_status_in_the_words_of_old_and_new_clients() {
    let house = House::open().await;
    for (name, status) in [
        ("Ada", "notified"),
        ("Bea", "cancelled"),
        ("Cleo", "waiting"),
        ("Dora", "no_show"),
    ] {
        let guest = house.tablet.add_guest(name, 2).await;
        house
            .tablet
            .change_guest(guest.id, json!({"status": status}))
            .await;
    }
    for (status, names) in [
        ("waiting", &["Cleo"][..]),
        ("Waitlist", &["Cleo"]),
        ("Running Late", &["Cleo"]),
        ("Arrived,notified", &["Ada", "Cleo"]),
        (" waiting , No Show ,", &["Cleo", "Dora"]),
        ("seated", &[]),
    ] {
        assert_eq!(
            house.tablet.names(json!({"status": status})).await,
            names,
            "{status}"
        );
    }
    let unknown = house
        .tablet
        .guests_since(DateTime::UNIX_EPOCH, json!({"status": "waiting,asleep"}));
    assert_eq!(fields(unknown.await), ["status"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_table() {
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    let ada = house.tablet.add_guest("Ada", 2).await;
    house.tablet.add_guest("Bea", 2).await;
    house.tablet.seat(&ada, &[&one, &two]).await.unwrap();
    for table in [one.id, two.id] {
        assert_eq!(house.tablet.names(json!({"tableId": table})).await, ["Ada"]);
    }
    house
        .tablet
        .change_guest(ada.id, json!({"tableId": one.id}))
        .await;
    assert_eq!(
        house.tablet.names(json!({"tableId": two.id})).await,
        Vec::<String>::new()
    );
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    assert_eq!(
        other.names(json!({"tableId": one.id})).await,
        Vec::<String>::new()
    );
    assert_eq!(other.names(json!({})).await, Vec::<String>::new());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_time_of_the_last_change() {
    let house = with_two().await;
    let noon = house.test.clock.now();
    house.test.clock.advance(TimeDelta::minutes(1));
    let cleo = house.tablet.add_guest("Cleo", 2).await;
    house.test.clock.advance(TimeDelta::minutes(1));
    let ada = house
        .tablet
        .guests_since(noon, json!({}))
        .await
        .unwrap()
        .items
        .remove(0);
    house
        .tablet
        .change_guest(ada.id, json!({"notes": "moved"}))
        .await;
    for (since, names) in [
        (
            noon - TimeDelta::microseconds(1),
            &["Ada", "Bea", "Cleo"][..],
        ),
        (noon, &["Ada", "Cleo"]),
        (cleo.last_updated, &["Ada"]),
        (house.test.clock.now(), &[]),
    ] {
        assert_eq!(
            house.tablet.names(json!({"updatedSince": since})).await,
            names,
            "{since}"
        );
    }
    house.close().await;
}

/// The floor is those who are here and those who left since the service day began, which late
/// parties take past midnight.
#[tokio::test(flavor = "multi_thread")]
async fn of_the_service_day_in_the_restaurants_zone() {
    let house = House::open().await;
    let zones = [
        // (zone, minute at which the day begins, when noon's day ends in UTC)
        ("Europe/Berlin", 5 * 60, "2026-03-15T04:00:00Z"),
        ("Europe/Berlin", 0, "2026-03-14T23:00:00Z"),
        ("America/New_York", 5 * 60, "2026-03-15T09:00:00Z"),
        ("Asia/Tokyo", 6 * 60, "2026-03-14T21:00:00Z"),
        ("Asia/Tokyo", 22 * 60, "2026-03-14T13:00:00Z"),
    ];
    for (zone, minute, end) in zones {
        let tablet = Tablet::of_new_restaurant(house.db(), zone).await;
        let settings = json!({"settings": {"serviceDayStartMinute": minute}});
        tablet.change_restaurant(settings).await;
        let gone = tablet.add_guest("Gone", 2).await;
        tablet
            .change_guest(gone.id, json!({"status": "cancelled"}))
            .await;
        tablet.add_guest("Waits", 2).await;

        let end: DateTime<Utc> = end.parse().unwrap();
        let last_moment = end - TimeDelta::microseconds(1);
        assert_eq!(
            floor(&tablet, last_moment).await,
            ["Gone", "Waits"],
            "{zone}, {minute}"
        );
        assert_eq!(floor(&tablet, end).await, ["Waits"], "{zone}, {minute}");
        assert_eq!(
            tablet.names(json!({})).await,
            ["Gone", "Waits"],
            "the history has all"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn page_by_page_while_others_come() {
    let house = House::open().await;
    let mut expected = Vec::new();
    for n in 0..23 {
        expected.push(
            house
                .tablet
                .add_guest(&format!("Early {n}"), 2)
                .await
                .guest_name,
        );
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let filter = json!({"limit": 7, "cursor": cursor});
        let page = house
            .tablet
            .guests_since(DateTime::UNIX_EPOCH, filter)
            .await
            .unwrap();
        assert!(
            page.items.len() == 7 || page.next.is_none(),
            "only the last is short"
        );
        seen.extend(page.items.into_iter().map(|guest| guest.guest_name));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        if pages < 4 {
            expected.push(
                house
                    .tablet
                    .add_guest(&format!("Late {pages}"), 2)
                    .await
                    .guest_name,
            );
        }
    }
    assert_eq!(seen, expected);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_just_full_is_the_last() {
    let house = with_two().await;
    for (limit, has_more) in [(1, true), (2, false), (3, false)] {
        let page = house
            .tablet
            .guests_since(DateTime::UNIX_EPOCH, json!({"limit": limit}))
            .await
            .unwrap();
        assert_eq!(page.next.is_some(), has_more, "{limit}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_listed_is_named() {
    let house = House::open().await;
    for (filter, field) in [
        (json!({"limit": 0}), "limit"),
        (json!({"limit": 1001}), "limit"),
        (json!({"cursor": "x"}), "cursor"),
        (json!({"cursor": "bm90IGFuIGlk"}), "cursor"),
        (json!({"status": "\u{0}"}), "status"),
    ] {
        let refused = house
            .tablet
            .guests_since(DateTime::UNIX_EPOCH, filter.clone())
            .await;
        assert_eq!(fields(refused), [field], "{filter}");
    }
}

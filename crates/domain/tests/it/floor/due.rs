//! What time brings to parties, with a clock of the test's own.

use std::time::Duration;

use chrono::TimeDelta;
use domain::db::{Actor, Db, Scope};
use domain::due;
use domain::rooms::DUE;
use serde_json::json;
use wire::RestaurantId;
use wire::floor::guests::{Guest, GuestStatus};

use crate::house::House;
use crate::tablet::Tablet;

/// The restaurants that have something due.
async fn found(db: &Db, most: usize) -> Vec<RestaurantId> {
    let now = db.clock().now();
    let mut found = Vec::new();
    for due in DUE {
        let of_kind = db
            .read("test", async |conn| {
                due::find(conn, *due, now, &[], most).await
            })
            .await;
        found.extend(of_kind.unwrap());
    }
    found
}

/// Lets a worker look for what is due; for how many rows time passed.
pub(super) async fn pass(db: &Db) -> usize {
    let mut passed = 0;
    for restaurant in found(db, 500).await {
        let scope = Scope::new(restaurant, Actor::SYSTEM);
        for due in DUE {
            let done = db
                .write("test", &scope, async |tx| due::pass_time(tx, *due).await)
                .await;
            passed += done.unwrap().value;
        }
    }
    passed
}

async fn take_down(house: &House, minutes: i32) -> Guest {
    let input = json!({"guestName": "Ada", "partySize": 2, "quotedWaitMinutes": minutes});
    house.tablet.try_add_guest(input).await.unwrap()
}

fn later(house: &House, minutes: i64) {
    house.test.clock.advance(TimeDelta::minutes(minutes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_waits_longer_than_it_was_told_is_marked_once() {
    let house = House::open().await;
    let (ada, soon) = (take_down(&house, 20).await, take_down(&house, 0).await);
    let told = |guest: &Guest| (guest.quoted_until.unwrap() - guest.check_in_time).num_minutes();
    assert_eq!(
        (told(&ada), told(&soon)),
        (20, 5),
        "nobody is late before five minutes"
    );
    later(&house, 4);
    assert_eq!(pass(house.db()).await, 0);
    later(&house, 16);
    let before = house.tablet.head().await.last_seq;
    assert_eq!(pass(house.db()).await, 2);
    assert_eq!(pass(house.db()).await, 0, "once");
    let events = house.tablet.events_after(before).await;
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_eq!(event["data"]["overQuote"], true);
        assert_eq!(
            (&event["action"], event.get("actor_id")),
            (&json!("info_updated"), None)
        );
    }
    // The host says it anew: it is not late any more, and will be again.
    let anew = house
        .tablet
        .change_guest(ada.id, json!({"quotedWaitMinutes": 30}))
        .await;
    assert!(!anew.over_quote);
    later(&house, 10);
    assert_eq!(pass(house.db()).await, 1);

    let table = house.tablet.add_table("1", 4).await;
    let seated = house.tablet.seat(&ada, &[&table]).await.unwrap();
    assert_eq!(
        (seated.waited_minutes, seated.quote_error_minutes),
        (Some(30), Some(0))
    );
    later(&house, 600);
    assert_eq!(pass(house.db()).await, 0, "whoever sits does not wait");
    let undone = house
        .tablet
        .change_guest(ada.id, json!({"status": "waiting"}))
        .await;
    assert_eq!((undone.over_quote, undone.waited_minutes), (true, None));
    assert_eq!(pass(house.db()).await, 0, "that was noted at once");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_does_not_come_to_its_table_waits_on() {
    let house = House::open().await;
    let (ada, bea) = (take_down(&house, 60).await, take_down(&house, 60).await);
    let notified = house
        .tablet
        .change_guest(ada.id, json!({"status": "notified"}))
        .await;
    let now = house.test.clock.now();
    assert_eq!(notified.notified_at, Some(now));
    assert_eq!(notified.notified_until, Some(now + TimeDelta::minutes(10)));
    later(&house, 10);
    let before = house.tablet.head().await.last_seq;
    assert_eq!(pass(house.db()).await, 1);
    let waits = house.tablet.guest(ada.id).await.unwrap();
    assert_eq!(
        (waits.status, waits.wait_position),
        (GuestStatus::Waiting, Some(1))
    );
    assert_eq!(
        (waits.notified_at, waits.notified_until),
        (Some(now), None),
        "it was called"
    );
    let events = house.tablet.events_after(before).await;
    assert_eq!(
        (events.len(), &events[0]["action"]),
        (1, &json!("status_changed"))
    );

    // The host's own step back is another thing.
    house
        .tablet
        .change_guest(bea.id, json!({"status": "notified"}))
        .await;
    let back = house
        .tablet
        .change_guest(bea.id, json!({"status": "waiting"}))
        .await;
    assert_eq!((back.notified_at, back.notified_until), (None, None));

    let settings = json!({"notifiedTimeoutMinutes": 3, "notifiedTimeoutStatus": "no_show"});
    house
        .tablet
        .change_restaurant(json!({"settings": settings}))
        .await;
    house
        .tablet
        .change_guest(ada.id, json!({"status": "notified"}))
        .await;
    later(&house, 3);
    assert_eq!(pass(house.db()).await, 1);
    let gone = house.tablet.guest(ada.id).await.unwrap();
    assert_eq!(
        (gone.status, gone.wait_position),
        (GuestStatus::NoShow, None)
    );
    assert_eq!(
        house.tablet.guest(bea.id).await.unwrap().wait_position,
        Some(1),
        "moved up"
    );

    let never = json!({"settings": {"notifiedTimeoutMinutes": null}});
    house.tablet.change_restaurant(never).await;
    let patient = house
        .tablet
        .change_guest(bea.id, json!({"status": "notified"}))
        .await;
    assert_eq!(patient.notified_until, None);
    house.close().await;
}

/// Two workers look at once, hosts change the same parties meanwhile: time passes once for each.
#[tokio::test(flavor = "multi_thread")]
async fn two_workers_at_once() {
    let house = House::open().await;
    let pools = [(); 2].map(|()| house.pool(&house.url, 3, Duration::from_secs(30)));
    let mut guests = Vec::new();
    for _ in 0..70 {
        guests.push(take_down(&house, 10).await);
    }
    later(&house, 10);
    let before = house.tablet.head().await.last_seq;
    let host = async {
        for guest in &guests[..5] {
            house
                .tablet
                .change_guest(guest.id, json!({"waitPosition": 60}))
                .await;
        }
    };
    let worker = async |db: &Db| {
        testkit::wait::until(
            "everything to be done",
            testkit::wait::DEADLINE,
            async || {
                pass(db).await;
                found(db, 1).await.is_empty().then_some(())
            },
        )
        .await;
    };
    tokio::join!(worker(&pools[0]), worker(&pools[1]), host);
    let mut marked: Vec<String> = house
        .tablet
        .events_after(before)
        .await
        .iter()
        .filter(|event| event.get("actor_id").is_none())
        .map(|event| event["guest_id"].as_str().unwrap().to_owned())
        .collect();
    let all = marked.len();
    marked.sort_unstable();
    marked.dedup();
    assert_eq!(marked.len(), all, "nobody is marked twice");
    assert!(all >= 65, "{all}: the host marks those that it moves");
    for guest in &guests {
        assert!(house.tablet.guest(guest.id).await.unwrap().over_quote);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restaurant_that_somebody_else_has_claimed_is_left_to_them() {
    let house = House::open().await;
    take_down(&house, 10).await;
    later(&house, 10);
    let scope = Scope::new(house.id(), Actor::SYSTEM);
    let holder = house.db().write("test", &scope, async |tx| {
        let held = due::pass_time(tx, DUE[0]).await?;
        let beside = house.pool(&house.url, 1, Duration::from_secs(10));
        assert_eq!(pass(&beside).await, 0, "and not waited for");
        Ok(held)
    });
    assert_eq!(holder.await.unwrap().value, 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restaurant_with_very_many_hides_no_other() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Europe/Berlin").await;
    // More than a page of the oldest rows for two restaurants.
    for _ in 0..=2 * due::BATCH {
        take_down(&house, 10).await;
    }
    later(&house, 1);
    let input = json!({"guestName": "Bea", "partySize": 2, "quotedWaitMinutes": 10});
    other.try_add_guest(input).await.unwrap();
    later(&house, 10);
    assert_eq!(found(house.db(), 2).await, [house.id(), other.id()]);
    let (now, but) = (house.db().clock().now(), [house.id()]);
    let read = house.db().read("test", async |conn| {
        due::find(conn, DUE[0], now, &but, 2).await
    });
    assert_eq!(read.await.unwrap(), [other.id()]);
    house.close().await;
}

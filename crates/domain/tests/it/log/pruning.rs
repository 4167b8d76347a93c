//! Forgetting what is older than the retention.

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::Clock;
use domain::log;
use wire::Seq;

use crate::house::House;
use crate::tablet::Tablet;

/// Appends an event whose transaction began at `at`, whatever the order of commits.
async fn tell_at(tablet: &Tablet, at: DateTime<Utc>) {
    let mut tablet = tablet.clone();
    tablet.db = tablet.db.with_clock(Clock::new(move || at));
    tablet.add_guest("Somebody", 2).await;
}

async fn prune(house: &House, before: DateTime<Utc>, batch: i64) -> usize {
    house
        .db()
        .transaction("log.prune", async |conn, _| {
            log::prune(conn, before, batch).await
        })
        .await
        .unwrap()
}

/// What is left, and what the head says.
async fn left(tablet: &Tablet) -> (Seq, Vec<Seq>) {
    let head = tablet.head().await;
    let events = tablet.events_after(head.pruned_seq).await;
    (
        head.pruned_seq,
        events
            .iter()
            .map(|event| event["seq"].as_i64().unwrap())
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_in_batches_and_the_head_says_how_far() {
    let house = House::open().await;
    let noon = house.test.clock.now();
    for minute in 0..5 {
        tell_at(&house.tablet, noon + TimeDelta::minutes(minute)).await;
    }
    let before = noon + TimeDelta::minutes(3);
    assert_eq!(prune(&house, before, 2).await, 2);
    assert_eq!(left(&house.tablet).await, (2, vec![3, 4, 5]));
    assert_eq!(prune(&house, before, 2).await, 1);
    assert_eq!(left(&house.tablet).await, (3, vec![4, 5]));
    assert_eq!(
        prune(&house, before, 2).await,
        0,
        "what is as old as the limit stays"
    );
    assert_eq!(left(&house.tablet).await, (3, vec![4, 5]));

    assert_eq!(prune(&house, noon + TimeDelta::days(1), 100).await, 2);
    assert_eq!(left(&house.tablet).await, (5, vec![]), "all of it");
    tell_at(&house.tablet, noon).await;
    assert_eq!(left(&house.tablet).await, (5, vec![6]), "numbers go on");
}

/// Times are those at which transactions began; numbers, those in which they ended. So an older
/// event may stand behind a younger one, which must wait for its own time.
#[tokio::test(flavor = "multi_thread")]
async fn never_takes_a_younger_event_along() {
    let house = House::open().await;
    let noon = house.test.clock.now();
    for minute in [0, 9, 1, 2] {
        tell_at(&house.tablet, noon + TimeDelta::minutes(minute)).await;
    }
    let before = noon + TimeDelta::minutes(5);
    assert_eq!(prune(&house, before, 100).await, 1);
    assert_eq!(left(&house.tablet).await, (1, vec![2, 3, 4]));
    assert_eq!(prune(&house, before, 100).await, 0);
    assert_eq!(prune(&house, noon + TimeDelta::minutes(10), 100).await, 3);
    assert_eq!(left(&house.tablet).await, (4, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_restaurant_by_restaurant() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let noon = house.test.clock.now();
    tell_at(&house.tablet, noon).await;
    tell_at(&other, noon).await;
    tell_at(&other, noon + TimeDelta::minutes(9)).await;
    let before = noon + TimeDelta::minutes(5);
    let pruned = [
        prune(&house, before, 100).await,
        prune(&house, before, 100).await,
        prune(&house, before, 100).await,
    ];
    assert_eq!(pruned, [1, 1, 0]);
    assert_eq!(left(&house.tablet).await, (1, vec![]));
    assert_eq!(left(&other).await, (1, vec![2]));
}

/// Two workers that prune at once do not wait for each other, and do nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn passes_over_what_another_worker_prunes() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let noon = house.test.clock.now();
    tell_at(&house.tablet, noon).await;
    tell_at(&other, noon).await;
    let before = noon + TimeDelta::minutes(5);
    house
        .db()
        .transaction("log.prune", async |conn, _| {
            assert_eq!(log::prune(conn, before, 100).await?, 1);
            // The first is not committed yet.
            assert_eq!(prune(&house, before, 100).await, 1);
            assert_eq!(prune(&house, before, 100).await, 0);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(left(&house.tablet).await, (1, vec![]));
    assert_eq!(left(&other).await, (1, vec![]));
}

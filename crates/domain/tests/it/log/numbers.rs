//! Numbers: consecutive, in the order of commits, one sequence per restaurant.

use std::time::Duration;

use domain::db::Event;
use domain::{Result, log};
use futures_util::future::join_all;
use tokio::time::timeout;
use uuid::Uuid;
use wire::Seq;
use wire::live::events::{Action, EventKind};

use crate::house::House;
use crate::tablet::Tablet;
use testkit::wait::DEADLINE;

/// Appends events about nothing in particular.
async fn tell(tablet: &Tablet, events: usize) -> Result<domain::db::Appended> {
    let done = tablet
        .write(async |tx| {
            for _ in 0..events {
                let (kind, id) = (EventKind::UserUpdated, Uuid::now_v7());
                tx.tell(Event::new(kind, id, Action::InfoUpdated, &"x"))?;
            }
            Ok(())
        })
        .await?;
    Ok(done.appended.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn begin_with_one_and_have_no_gaps() {
    let house = House::open().await;
    assert_eq!(house.tablet.head().await.last_seq, 0);
    let mut next = 1;
    for count in [1, 3, 2] {
        let appended = tell(&house.tablet, count).await.unwrap();
        for event in &appended.events {
            assert_eq!(event.seq, next);
            next += 1;
        }
        assert_eq!(appended.position(), house.tablet.head().await.position());
    }
    assert_eq!(house.tablet.head().await.last_seq, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_has_the_same_bytes_as_the_log() {
    let house = House::open().await;
    let written = house
        .tablet
        .write(async |tx| {
            let odd = serde_json::json!({"text": "\" \\ \n \u{1F37D} ⅞ %s $1", "number": 1.5});
            let (kind, id) = (EventKind::RestaurantUpdated, Uuid::now_v7());
            let event = Event::new(kind, id, Action::InfoUpdated, &odd).before(&"");
            tx.tell(event.public(&"for all to see"))?;
            let kind = EventKind::GuestUpdated;
            tx.tell(Event::new(kind, id, Action::StatusChanged, &odd))
        })
        .await
        .unwrap()
        .appended
        .unwrap();
    let here = house.id();
    let page = house
        .db()
        .read("test", async |conn| log::read(conn, here, 0, 10).await);
    let logged = page.await.unwrap().events;
    assert_eq!(logged.len(), 2);
    for (written, logged) in written.events.iter().zip(logged) {
        assert_eq!(written.seq, logged.seq);
        assert_eq!(written.kind, logged.kind);
        assert_eq!(written.frame, logged.frame);
        assert_eq!(written.public_frame, logged.public_frame);
        let frame: serde_json::Value = serde_json::from_str(&logged.frame).unwrap();
        assert_eq!(frame["seq"], logged.seq);
        assert_eq!(
            frame["actor_id"],
            house.tablet.scope.actor.user_id.unwrap().to_string()
        );
        let public = logged.public_frame.map(|frame| frame.contains("actor_id"));
        assert_ne!(public, Some(true), "the public does not see who did it");
    }
}

/// Two workers, many writers, and a reader that must never see a number before the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn are_in_the_order_of_commits_whoever_writes() {
    const WRITERS: usize = 20;
    const WRITES: usize = 25;
    let house = House::open().await;
    let pools = [(); 2].map(|()| house.pool(&house.url, 6, Duration::from_secs(30)));
    let writing = join_all((0..WRITERS).map(async |writer| {
        let tablet = house.tablet.through(&pools[writer % 2]);
        for n in 0..WRITES {
            tell(&tablet, 1 + (writer + n) % 3).await.unwrap();
        }
    }));
    let total: usize = (0..WRITERS)
        .flat_map(|writer| (0..WRITES).map(move |n| 1 + (writer + n) % 3))
        .sum();
    let total = Seq::try_from(total).unwrap();

    let reading = async {
        let (here, mut after) = (house.id(), 0);
        while after < total {
            let page = house
                .db()
                .read("test", async |conn| log::read(conn, here, after, 40).await);
            let page = page.await.unwrap();
            for event in &page.events {
                assert_eq!(event.seq, after + 1, "seen before the one before it");
                after = event.seq;
            }
            assert!(
                page.head.last_seq >= after,
                "the head is never behind its events"
            );
            assert!(
                page.head.last_seq == after || page.events.len() == 40,
                "nothing held back"
            );
        }
    };
    timeout(4 * DEADLINE, async { tokio::join!(writing, reading) })
        .await
        .unwrap();
    assert_eq!(house.tablet.head().await.last_seq, total);
}

#[tokio::test(flavor = "multi_thread")]
async fn are_each_restaurants_own() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    assert_ne!(house.tablet.head().await.epoch, other.head().await.epoch);
    for n in 1..=3 {
        assert_eq!(tell(&house.tablet, 1).await.unwrap().position().seq, n);
        assert_eq!(tell(&other, 2).await.unwrap().position().seq, 2 * n);
    }
    let (ours, theirs) = (
        house.tablet.events_after(0).await,
        other.events_after(0).await,
    );
    assert_eq!((ours.len(), theirs.len()), (3, 6));
    assert!(
        theirs
            .iter()
            .all(|event| event["restaurant_id"] == other.id().to_string())
    );
}

/// A writer that holds one restaurant's head does not hold another's.
#[tokio::test(flavor = "multi_thread")]
async fn of_one_restaurant_do_not_wait_for_another() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let sql = crate::sql::Sql::beside(&house.test).await;
    let here = house.id();
    sql.run(&format!(
        "BEGIN; SELECT FROM log_heads WHERE restaurant_id = '{here}' FOR UPDATE"
    ))
    .await;
    let mut held_up = Box::pin(tell(&house.tablet, 1));
    tokio::select! {
        biased;
        _ = &mut held_up => panic!("the head is locked"),
        other = tell(&other, 1) => assert_eq!(other.unwrap().position().seq, 1),
    }
    sql.run("ROLLBACK").await;
    assert_eq!(held_up.await.unwrap().position().seq, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restaurant_that_is_not_there_has_no_log() {
    let house = House::open().await;
    let mut nowhere = house.tablet.clone();
    nowhere.scope.restaurant_id = domain::clock::new_id();
    let refused = tell(&nowhere, 1).await;
    assert_eq!(crate::house::missing(refused), "restaurant");
}

//! Reading: pages after a position, the tail, heads, and never across a gap.

use domain::{Error, Result, log};
use wire::{RestaurantId, Seq};

use crate::house::{House, missing};
use crate::sql::Sql;
use crate::tablet::Tablet;

async fn read(tablet: &Tablet, after: Seq, limit: i64) -> Result<(log::Head, Vec<Seq>)> {
    let here = tablet.id();
    let page = tablet
        .db
        .read("test", async |conn| {
            log::read(conn, here, after, limit).await
        })
        .await?;
    Ok((
        page.head,
        page.events.iter().map(|event| event.seq).collect(),
    ))
}

async fn tail(tablet: &Tablet, count: i64) -> Result<(log::Head, Vec<Seq>)> {
    let here = tablet.id();
    let page = tablet
        .db
        .read("test", async |conn| log::tail(conn, here, count).await)
        .await?;
    Ok((
        page.head,
        page.events.iter().map(|event| event.seq).collect(),
    ))
}

async fn with_events(events: usize) -> House {
    let house = House::open().await;
    for _ in 0..events {
        house.tablet.add_guest("Somebody", 2).await;
    }
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_a_position() {
    let house = with_events(5).await;
    let head = house.tablet.head().await;
    for (after, limit, expected) in [
        (0, 100, &[1, 2, 3, 4, 5][..]),
        (0, 2, &[1, 2]),
        (2, 2, &[3, 4]),
        (4, 2, &[5]),
        (5, 2, &[]),
        (9, 2, &[]),
    ] {
        let page = read(&house.tablet, after, limit).await.unwrap();
        assert_eq!(page, (head, expected.to_vec()), "{limit} after {after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_ones() {
    let house = with_events(5).await;
    let head = house.tablet.head().await;
    for (count, expected) in [
        (0, &[][..]),
        (2, &[4, 5]),
        (5, &[1, 2, 3, 4, 5]),
        (9, &[1, 2, 3, 4, 5]),
    ] {
        assert_eq!(
            tail(&house.tablet, count).await.unwrap(),
            (head, expected.to_vec())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log() {
    let house = with_events(0).await;
    let head = house.tablet.head().await;
    assert_eq!((head.last_seq, head.pruned_seq), (0, 0));
    assert_eq!(read(&house.tablet, 0, 10).await.unwrap(), (head, vec![]));
    assert_eq!(tail(&house.tablet, 10).await.unwrap(), (head, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_nobody() {
    let house = with_events(0).await;
    let mut nowhere = house.tablet.clone();
    nowhere.scope.restaurant_id = domain::clock::new_id();
    assert_eq!(missing(read(&nowhere, 0, 10).await), "restaurant");
    assert_eq!(missing(tail(&nowhere, 10).await), "restaurant");
    let nobody = nowhere.id();
    let head = house
        .db()
        .read("test", async |conn| log::head(conn, nobody).await)
        .await;
    assert_eq!(missing(head), "restaurant");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_of_several() {
    let house = with_events(3).await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let asked: [RestaurantId; 3] = [other.id(), domain::clock::new_id(), house.id()];
    let mut heads = house
        .db()
        .read("test", async |conn| log::heads(conn, &asked).await)
        .await
        .unwrap();
    heads.sort_by_key(|(id, _)| *id);
    let expected = [
        (house.id(), house.tablet.head().await),
        (other.id(), other.head().await),
    ];
    assert_eq!(heads, expected);
}

/// What was pruned is no gap: the caller sees it at the head.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_after_pruning() {
    let house = with_events(5).await;
    let late = house.test.clock.now() + chrono::TimeDelta::days(1);
    for (batch, from) in [(2, 3), (100, 6)] {
        let prune =
            async |conn: &mut domain::db::PgConnection, _| log::prune(conn, late, batch).await;
        house.db().transaction("log.prune", prune).await.unwrap();
        let left: Vec<Seq> = (from..=5).collect();
        for after in [0, 1, 2] {
            let (head, events) = read(&house.tablet, after, 100).await.unwrap();
            assert_eq!((head.pruned_seq, head.last_seq), (from - 1, 5));
            assert_eq!(events, left);
        }
        // A page begins with what is left, however small it is.
        let page = read(&house.tablet, 0, 1).await.unwrap().1;
        assert_eq!(page, left.iter().copied().take(1).collect::<Vec<_>>());
        assert_eq!(tail(&house.tablet, 5).await.unwrap().1, left);
    }
    assert!(read(&house.tablet, 5, 100).await.unwrap().1.is_empty());
}

/// An event that is lost is a fault, wherever it is missing: silence would make a client believe
/// that it has everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_never_passed_over() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    for lost in ["seq = 1", "seq = 3", "seq = 5", "seq IN (4, 5)", "true"] {
        let tablet = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
        for _ in 0..5 {
            tablet.add_guest("Somebody", 2).await;
        }
        let here = tablet.id();
        sql.change(&format!(
            "DELETE FROM events WHERE restaurant_id = '{here}' AND {lost}"
        ))
        .await;
        for limit in [5, 100] {
            let read = read(&tablet, 0, limit).await;
            assert!(
                matches!(read, Err(Error::Internal(_))),
                "without {lost}: {read:?}"
            );
        }
        let tail = tail(&tablet, 5).await;
        assert!(
            matches!(tail, Err(Error::Internal(_))),
            "without {lost}: {tail:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_before_a_gap_is_whole() {
    let house = with_events(5).await;
    Sql::beside(&house.test)
        .await
        .change("DELETE FROM events WHERE seq = 4")
        .await;
    assert_eq!(read(&house.tablet, 0, 3).await.unwrap().1, [1, 2, 3]);
    let beyond = read(&house.tablet, 3, 3).await;
    assert!(matches!(beyond, Err(Error::Internal(_))), "{beyond:?}");
    assert_eq!(read(&house.tablet, 4, 3).await.unwrap().1, [5]);
}

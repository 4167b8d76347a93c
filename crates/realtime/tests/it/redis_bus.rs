//! Hubs of several workers over a real Redis, through a proxy that misbehaves.

use std::time::Duration;

use realtime::bus::Reach;
use realtime::{Hub, Join, RedisConfig, Since};
use testkit::proxy::Proxy;
use testkit::redis::url;
use tokio::time::Instant;
use uuid::Uuid;
use wire::{RestaurantId, Seq};

use crate::support::house::{House, measured};
use crate::support::{HERE, epoch, expect, join, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_on_one_worker_is_heard_on_all() {
    let house = House::on_redis(&url(), 3).await;
    let mut sessions = house.one_session_each().await;
    for n in 0..300 {
        house.commit(n % 3, 1 + n % 2);
    }
    house.expect_all(&mut sessions, 1..=450).await;
    for n in 0..3 {
        // On a loaded machine the log may have been quicker.
        house
            .until("all messages", n, |hub| {
                hub.stats().bus_received.get() == 200
            })
            .await;
        let stats = house.hub(n).stats();
        assert_eq!(
            (stats.bus_lag.count(), stats.bus_unreadable.get()),
            (200, 0)
        );
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_costs_nothing() {
    let house = House::on_redis(&url(), 2).await;
    let mut sessions = house.one_session_each().await;
    let mut last = 0;
    for round in 0..5_u64 {
        for n in 0..40 {
            house.commit(n % 2, 1);
            last += 1;
            if n == 20 {
                house.proxy(1).cut();
            }
        }
        house.expect_all(&mut sessions, last - 39..=last).await;
        house
            .until("the way back", 1, |hub| {
                hub.stats().bus_connects.get() >= round + 2
            })
            .await;
        house.until_full(1).await;
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_connection_is_noticed_and_bridged_by_the_log() {
    let house = House::on_redis(&url(), 2).await;
    let mut sessions = house.one_session_each().await;
    house.proxy(0).freeze();
    let start = Instant::now();
    // The socket says nothing. Until the missing beats do, what happens elsewhere is not heard.
    house.commit(1, 3);
    house.expect_all(&mut sessions, 1..=3).await;
    house.until_down(0).await;
    assert!(start.elapsed() < Duration::from_secs(5));
    for n in 2..10 {
        house.commit(n % 2, 2);
        let last = Seq::try_from(n).unwrap() * 2 - 1;
        expect(&mut sessions[0], &house.log, last + 1..=last + 2).await;
    }
    house.proxy(0).heal();
    house.until_full(0).await;
    // The other bus was up all the time, and is told by the way.
    expect(&mut sessions[1], &house.log, 4..=19).await;
    let received = house.hub(0).stats().bus_received.get();
    house.commit(1, 1);
    house.expect_all(&mut sessions, 20..=20).await;
    assert!(house.hub(0).stats().bus_received.get() > received);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_away_at_the_start() {
    let mut house = House::on_redis(&url(), 1).await;
    let proxy = Proxy::for_url(&url()).await;
    proxy.refuse();
    house.start_behind(proxy);
    let start = Instant::now();
    let mut sessions = house.one_session_each().await;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "joining does not wait for Redis"
    );
    assert!(!house.hub(1).bus_is_up());
    house.commit(0, 2);
    house.commit(1, 2);
    expect(&mut sessions[1], &house.log, 1..=4).await;
    house.proxy(1).heal();
    house.until_full(1).await;
    expect(&mut sessions[0], &house.log, 1..=4).await;
    let received = house.hub(1).stats().bus_received.get();
    house.commit(0, 1);
    house.expect_all(&mut sessions, 5..=5).await;
    house
        .until("the room's channel", 1, |hub| {
            hub.stats().bus_received.get() > received
        })
        .await;
    house.end().await;
}

/// Its own bus is up, so only the silence of the other tells a worker that there is something to
/// look for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_alone_is_cut_off_is_missed_by_the_others() {
    let mut house = House::on_redis(&url(), 3).await;
    let mut sessions = house.one_session_each().await;
    house.proxy(0).freeze();
    house.commit(0, 5);
    expect(&mut sessions[0], &house.log, 1..=5).await;
    measured(
        "cut off: missed by the others after",
        house.until_reach(1, Reach::Partial).await,
    );
    expect(&mut sessions[1], &house.log, 1..=5).await;
    expect(&mut sessions[2], &house.log, 1..=5).await;
    measured(
        "cut off: the longest delay",
        house.longest_delay(&mut sessions).await,
    );
    // One who came later is told of the one whom he has never heard.
    let late = house.start().await;
    house.until_reach(late, Reach::Partial).await;
    house.proxy(0).heal();
    for n in 0..=late {
        house.until_full(n).await;
    }
    house.until_heard(0, 1, &mut sessions).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_goodbye_is_not_missed_and_who_is_killed_not_forever() {
    let redis = testkit::redis::RedisServer::start(&[]).await;
    let quick = |redis: &mut RedisConfig| {
        redis.beat = Duration::from_millis(100);
        redis.forget = Duration::from_secs(2);
    };
    let (mut house, _) = House::on_redis_with(&redis.url(), 2, quick).await;
    let leaver = house.start().await;
    house.until_full(leaver).await;
    house.hub(leaver).shutdown().await;
    house.kill_last();
    let victim = house.start().await;
    house.until_full(victim).await;
    house.kill_last();
    let silent = |hub: &Hub| hub.bus_status()[0].silent_workers;
    house
        .until("the victim to be missed", 0, |hub| silent(hub) > 0)
        .await;
    // The leaver has been silent for longer.
    assert_eq!(silent(house.hub(0)), 1);
    house.until_full(0).await;
    house.until_full(1).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_transaction_is_announced_and_read() {
    let house = House::on_redis(&url(), 2).await;
    let mut sessions = house.one_session_each().await;
    house.commit(0, 5000);
    house.expect_all(&mut sessions, 1..=5000).await;
    assert_eq!(house.hub(1).stats().bus_received.get(), 1);
    assert!(house.hub(1).stats().gap_events.get() >= 5000);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_from_the_future_leads_to_the_log() {
    let (house, prefix) = House::on_redis_with(&url(), 1, |_| {}).await;
    let mut sessions = house.one_session_each().await;
    _ = house.log.append(HERE, 2);
    let client = redis::Client::open(url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let channel = format!("{prefix}restaurant:{{{HERE}}}");
    let mut publish = redis::cmd("PUBLISH");
    let heard: usize = publish
        .arg(channel)
        .arg(b"\xff?")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(heard, 1);
    house.expect_all(&mut sessions, 1..=2).await;
    assert_eq!(house.hub(0).stats().bus_unreadable.get(), 1);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rooms_are_subscribed_again() {
    let house = House::on_redis(&url(), 2).await;
    let restaurants: Vec<_> = (1000..1600)
        .map(|n| RestaurantId(Uuid::from_u128(n)))
        .collect();
    let mut sessions = Vec::new();
    for id in &restaurants {
        house.log.open(*id, epoch(1));
        let join = Join {
            restaurant_id: *id,
            ..request(Since::Head)
        };
        sessions.push(house.hub(1).join(join).await.unwrap().0);
    }
    house.proxy(1).cut();
    house
        .until("the way back", 1, |hub| hub.stats().bus_connects.get() >= 2)
        .await;
    for id in &restaurants {
        house.hub(0).committed(house.log.append(*id, 1));
    }
    for session in &mut sessions {
        _ = crate::support::frames(crate::support::pull(session).await);
    }
    house
        .until("all messages", 1, |hub| {
            hub.stats().bus_received.get() == 600
        })
        .await;
    // Rooms that are closed are unsubscribed, the others are not.
    drop(sessions);
    house.end().await;
}

/// Who joins first may be on a thread that ends; the connections must not end with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_come_and_go_with_their_runtimes() {
    let house = House::on_redis(&url(), 2).await;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let own = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            own.unwrap().block_on(async {
                let mut session = join(house.hub(1), Since::Head).await.0;
                house.commit(0, 1);
                expect(&mut session, &house.log, 1..=1).await;
                house.commit(1, 1);
                expect(&mut session, &house.log, 2..=2).await;
            });
        });
    });
    let mut session = join(house.hub(0), Since::Head).await.0;
    house.commit(1, 1);
    expect(&mut session, &house.log, 3..=3).await;
    assert_eq!(house.hub(1).stats().bus_connects.get(), 1);
    house.end().await;
}

#[tokio::test]
async fn a_url_that_is_none() {
    for url in ["", "http://localhost", "redis://", "rediss://"] {
        let bus = RedisConfig::new([url], "").bus();
        assert!(bus.is_err(), "{url}");
    }
    assert!(RedisConfig::new([""; 0], "").bus().is_err());
}

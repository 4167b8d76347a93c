//! What a Redis of one's own can do to its workers: die, hang, crawl, fill up, refuse, change
//! sides. Each test prints what it measured; `--nocapture` shows it.

use std::time::Duration;

use realtime::bus::Reach;
use realtime::{Join, Since};
use testkit::redis::RedisServer;
use testkit::wait::{self, DEADLINE};
use uuid::Uuid;
use wire::RestaurantId;

use crate::support::house::{House, measured};
use crate::support::{epoch, expect, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_at_the_same_address() {
    let mut redis = RedisServer::start(&[]).await;
    let house = House::on_redis(&redis.url(), 2).await;
    let mut sessions = house.one_session_each().await;
    redis.kill();
    house.commit(0, 2);
    house.commit(1, 2);
    house.expect_all(&mut sessions, 1..=4).await;
    measured("killed: noticed", house.until_down(0).await);
    house.until_down(1).await;
    measured(
        "killed: the longest delay while away",
        house.longest_delay(&mut sessions).await,
    );
    redis.restart().await;
    measured("killed: back after the restart", house.until_full(0).await);
    house.until_full(1).await;
    house.until_heard(0, 1, &mut sessions).await;
    house.until_heard(1, 0, &mut sessions).await;
    house.end().await;
}

/// Established connections on which nothing comes, for all workers at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hangs_with_all_its_connections_open() {
    let redis = RedisServer::start(&[]).await;
    let house = House::on_redis(&redis.url(), 2).await;
    let mut sessions = house.one_session_each().await;
    redis.pause();
    house.commit(0, 2);
    house.commit(1, 2);
    measured("hanging: noticed", house.until_down(0).await);
    house.until_down(1).await;
    house.expect_all(&mut sessions, 1..=4).await;
    measured(
        "hanging: the longest delay",
        house.longest_delay(&mut sessions).await,
    );
    // Now all that was said before the end comes as well, too late and again.
    redis.resume();
    measured("hanging: back", house.until_full(0).await);
    house.until_full(1).await;
    house.until_heard(0, 1, &mut sessions).await;
    house.end().await;
}

/// Slower than looking into the log: the bus is still used, but not relied on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_slowly() {
    let redis = RedisServer::start(&[]).await;
    let house = House::on_redis(&redis.url(), 2).await;
    let mut sessions = house.one_session_each().await;
    house.proxy(0).slow(Duration::from_millis(200));
    measured("slow: noticed", house.until_reach(0, Reach::Partial).await);
    for _ in 0..5 {
        house.commit(1, 1);
        let last = house.log.head(crate::support::HERE).last_seq;
        let start = tokio::time::Instant::now();
        expect(&mut sessions[0], &house.log, last..=last).await;
        measured("slow: the delay", start.elapsed());
    }
    house.proxy(0).heal();
    house.until_full(0).await;
    house.until_full(1).await;
    expect(&mut sessions[1], &house.log, 1..=5).await;
    house.until_heard(1, 0, &mut sessions).await;
    house.end().await;
}

/// A full Redis refuses writes, not messages; nothing of the bus is ever stored in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn out_of_memory() {
    let redis = RedisServer::start(&["--maxmemory-policy", "noeviction"]).await;
    let house = House::on_redis(&redis.url(), 2).await;
    let mut sessions = house.one_session_each().await;
    assert!(
        redis
            .tell("CONFIG SET maxmemory 1")
            .await
            .starts_with("+OK")
    );
    assert!(redis.tell("SET x 1").await.starts_with("-OOM"));
    // Many large messages at once, and one transaction that is too large for any.
    for n in 0..40 {
        house.commit(n % 2, 100);
    }
    house.commit(0, 5000);
    house.expect_all(&mut sessions, 1..=9000).await;
    house.until_heard(0, 1, &mut sessions).await;
    assert_eq!(
        (house.hub(0).reach(), house.hub(1).reach()),
        (Reach::Full, Reach::Full)
    );
    assert_eq!(house.hub(0).stats().bus_publish_failed.get(), 0);
    house.end().await;
}

/// It answers every question, and refuses every message: only the beat tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_to_publish() {
    let redis = RedisServer::start(&[]).await;
    let house = House::on_redis(&redis.url(), 2).await;
    let mut sessions = house.one_session_each().await;
    redis.tell("ACL SETUSER default -publish").await;
    measured("refusing: noticed", house.until_down(0).await);
    house.until_down(1).await;
    measured(
        "refusing: the longest delay",
        house.longest_delay(&mut sessions).await,
    );
    redis.tell("ACL SETUSER default +publish").await;
    measured("refusing: back", house.until_full(0).await);
    house.until_full(1).await;
    house.until_heard(0, 1, &mut sessions).await;
    house.end().await;
}

/// A master that was demoted answers and delivers as before, but what is said there stays there.
/// A worker that still holds on to it hears itself, and is heard by nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demoted_under_one_of_its_workers() {
    let quick = ["--repl-diskless-sync-delay", "0"];
    let (old, new) = (
        RedisServer::start(&quick).await,
        RedisServer::start(&quick).await,
    );
    let replica_of = |master: &RedisServer| {
        let address = master.addr();
        format!("REPLICAOF {} {}", address.ip(), address.port())
    };
    new.tell(&replica_of(&old)).await;
    let house = House::on_redis(&old.url(), 2).await;
    let mut sessions = house.one_session_each().await;
    new.tell("REPLICAOF NO ONE").await;
    old.tell(&replica_of(&new)).await;
    house.proxy(1).lead_to(new.addr());
    house.proxy(1).cut();
    wait::until("replication", DEADLINE, async || {
        let info = old.tell("INFO replication").await;
        info.contains("master_link_status:up").then_some(())
    })
    .await;
    measured(
        "demoted: noticed by the other",
        house.until_reach(1, Reach::Partial).await,
    );
    house.commit(0, 3);
    house.expect_all(&mut sessions, 1..=3).await;
    measured(
        "demoted: the longest delay",
        house.longest_delay(&mut sessions).await,
    );
    // Told by the other that it is not heard, the worker looks the server up again.
    house.proxy(0).lead_to(new.addr());
    measured("demoted: found the new master", house.until_full(1).await);
    house.until_full(0).await;
    house.until_heard(0, 1, &mut sessions).await;
    house.until_heard(1, 0, &mut sessions).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_rooms_come_back_in_a_few_steps() {
    let mut redis = RedisServer::start(&[]).await;
    let house = House::on_redis(&redis.url(), 2).await;
    let restaurants: Vec<_> = (1000..2000)
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
    redis.kill();
    house.until_down(1).await;
    house.until_down(0).await;
    redis.restart().await;
    measured("a thousand rooms: back", house.until_full(1).await);
    house.until_full(0).await;
    let stats = redis.tell("INFO commandstats").await;
    let subscribes = stats.split("cmdstat_subscribe:calls=").nth(1).unwrap();
    let subscribes: u32 = subscribes.split(',').next().unwrap().parse().unwrap();
    // The channel of all workers for each, and four steps of 256.
    assert!(subscribes <= 2 + 4, "{subscribes}");
    let channels =
        redis.tell("PUBSUB NUMPAT").await + &redis.tell("PUBSUB CHANNELS *restaurant*").await;
    assert!(channels.contains("*1000"), "{}", &channels[..40]);
    for id in &restaurants {
        house.hub(0).committed(house.log.append(*id, 1));
    }
    for session in &mut sessions {
        _ = crate::support::frames(crate::support::pull(session).await);
    }
    house
        .until("all messages", 1, |hub| {
            hub.stats().bus_received.get() == 1000
        })
        .await;
    drop(sessions);
    house.end().await;
}

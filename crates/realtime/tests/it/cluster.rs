//! A Redis Cluster of one node that has all slots.

use std::time::Duration;

use realtime::Cluster;
use realtime::bus::Reach;
use testkit::process::free_address;
use testkit::proxy::Proxy;
use testkit::redis::RedisServer;
use testkit::wait::{self, DEADLINE};

use crate::support::house::{House, measured};
use crate::support::{HERE, expect};

/// Workers reach a cluster's nodes where these say that they are: so the node says that it is
/// where the proxy is.
async fn cluster() -> (RedisServer, Proxy) {
    let address = free_address();
    let proxy = Proxy::start(address).await;
    let port = proxy.addr().port().to_string();
    let options = [
        "--cluster-enabled",
        "yes",
        "--cluster-announce-ip",
        "127.0.0.1",
        "--cluster-announce-port",
        &port,
    ];
    let server = RedisServer::at(address, &options).await;
    server.tell("CLUSTER ADDSLOTSRANGE 0 16383").await;
    until_all_slots_are_served(&server).await;
    (server, proxy)
}

async fn until_all_slots_are_served(server: &RedisServer) {
    wait::until("the cluster to be well", DEADLINE, async || {
        let info = server.tell("CLUSTER INFO").await;
        info.contains("cluster_state:ok").then_some(())
    })
    .await;
}

async fn shard_channels(server: &RedisServer) -> String {
    server.tell("PUBSUB SHARDCHANNELS *").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_recognised_and_spoken_to_by_its_own_commands() {
    let (server, _proxy) = cluster().await;
    let house = House::on_redis(&server.url(), 2).await;
    let mut sessions = house.one_session_each().await;
    let channels = shard_channels(&server).await;
    assert!(
        channels.contains(&format!("restaurant:{{{HERE}}}")),
        "{channels}"
    );
    assert!(server.tell("PUBSUB CHANNELS *").await.starts_with("*0"));
    for n in 0..100 {
        house.commit(n % 2, 1 + n % 3);
    }
    let last = house.log.head(HERE).last_seq;
    house.expect_all(&mut sessions, 1..=last).await;
    for n in 0..2 {
        house
            .until("all messages", n, |hub| {
                hub.stats().bus_received.get() == 50
            })
            .await;
        assert_eq!(house.hub(n).stats().bus_unreadable.get(), 0);
    }
    drop(sessions);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn may_die_hang_and_come_back() {
    let (mut server, proxy) = cluster().await;
    let (house, _) = House::on_redis_with(&server.url(), 2, |redis| {
        redis.cluster = Cluster::Always;
    })
    .await;
    let mut sessions = house.one_session_each().await;
    server.kill();
    measured("cluster killed: noticed", house.until_down(0).await);
    house.until_down(1).await;
    measured(
        "cluster killed: the longest delay",
        house.longest_delay(&mut sessions).await,
    );
    server.restart().await;
    until_all_slots_are_served(&server).await;
    measured("cluster killed: back", house.until_full(0).await);
    house.until_full(1).await;
    house.until_heard(0, 1, &mut sessions).await;
    proxy.freeze();
    measured("cluster hanging: noticed", house.until_down(0).await);
    house.until_down(1).await;
    measured(
        "cluster hanging: the longest delay",
        house.longest_delay(&mut sessions).await,
    );
    proxy.heal();
    house.until_full(0).await;
    house.until_full(1).await;
    house.until_heard(1, 0, &mut sessions).await;
    proxy.slow(Duration::from_millis(150));
    house.until_reach(0, Reach::Partial).await;
    proxy.heal();
    house.end().await;
}

/// A slot that moves away takes its subscriptions with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gives_a_slot_away() {
    let (server, _proxy) = cluster().await;
    let (house, prefix) = House::on_redis_with(&server.url(), 2, |_| {}).await;
    let mut sessions = house.one_session_each().await;
    let channel = format!("{prefix}restaurant:{{{HERE}}}");
    let slot = server.tell(&format!("CLUSTER KEYSLOT {channel}")).await;
    let slot = slot.trim_start_matches(':').trim().to_owned();
    server
        .tell("CONFIG SET cluster-require-full-coverage no")
        .await;
    server.tell(&format!("CLUSTER DELSLOTS {slot}")).await;
    house.until_down(0).await;
    house.until_down(1).await;
    house.commit(0, 2);
    expect(&mut sessions[1], &house.log, 1..=2).await;
    server.tell(&format!("CLUSTER ADDSLOTS {slot}")).await;
    house.until_full(0).await;
    house.until_full(1).await;
    house.until_heard(0, 1, &mut sessions[1..]).await;
    drop(sessions);
    house.end().await;
}

//! Buses over servers with certificates.

use std::fs;

use realtime::RedisConfig;
use testkit::authority::Authority;
use testkit::redis::RedisServer;
use testkit::wait::{self, DEADLINE};

use crate::support::house::House;

async fn everybody_hears_everything(
    url: &str,
    change: impl Fn(&mut RedisConfig) + Send + Sync + 'static,
) {
    let (house, _) = House::on_redis_with(url, 2, change).await;
    let mut sessions = house.one_session_each().await;
    for n in 0..20 {
        house.commit(n % 2, 1);
    }
    house.expect_all(&mut sessions, 1..=20).await;
    assert!(house.hub(0).stats().bus_received.get() > 0);
    house.end().await;
}

fn trusting(authority: &Authority) -> impl Fn(&mut RedisConfig) + Send + Sync + 'static {
    let authorities = fs::read(authority.file()).unwrap();
    move |redis| redis.authorities = Some(authorities.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_by_its_authority_or_whoever_it_is() {
    let authority = Authority::new();
    let identity = authority.identity(&["127.0.0.1"]);
    let (_server, address) = RedisServer::with_tls(&identity, &[]).await;
    let url = format!("rediss://{address}");
    everybody_hears_everything(&url, trusting(&authority)).await;
    everybody_hears_everything(&format!("{url}/#insecure"), |_| {}).await;
}

/// The nodes that a cluster tells of are verified by the same authority.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_by_its_authority() {
    let authority = Authority::new();
    let identity = authority.identity(&["127.0.0.1"]);
    let options = [
        "--cluster-enabled",
        "yes",
        "--cluster-announce-ip",
        "127.0.0.1",
        // It tells who comes by TLS of its ports for TLS.
        "--tls-cluster",
        "yes",
    ];
    let (server, address) = RedisServer::with_tls(&identity, &options).await;
    server.tell("CLUSTER ADDSLOTSRANGE 0 16383").await;
    wait::until("the cluster to be well", DEADLINE, async || {
        let info = server.tell("CLUSTER INFO").await;
        info.contains("cluster_state:ok").then_some(())
    })
    .await;
    everybody_hears_everything(&format!("rediss://{address}"), trusting(&authority)).await;
}

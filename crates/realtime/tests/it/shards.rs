//! Several servers that share the restaurants.

use std::sync::Arc;

use realtime::bus::Reach;
use realtime::{Hub, HubConfig, Join, RedisConfig, Session, Since};
use testkit::redis::{RedisServer, random_prefix};
use testkit::wait::{self, DEADLINE};
use uuid::Uuid;
use wire::RestaurantId;

use crate::support::house::measured;
use crate::support::log::FakeLog;
use crate::support::{config, epoch, frames, pull, request};

fn rarely_comparing() -> HubConfig {
    let mut config = config();
    config.compare_every = Some(std::time::Duration::from_secs(3600));
    config
}

fn reaches(hub: &Hub) -> Vec<Reach> {
    hub.bus_status().iter().map(|part| part.reach).collect()
}

async fn until_reaches(hubs: &[Hub], expected: [Reach; 2]) {
    wait::until("each part to reach so far", DEADLINE, async || {
        hubs.iter()
            .all(|hub| reaches(hub) == expected)
            .then_some(())
    })
    .await;
}

async fn all_hear(hubs: &[Hub], log: &FakeLog, rooms: &mut [(RestaurantId, Session)]) -> u64 {
    let before = hubs[1].stats().bus_received.get();
    for (id, session) in rooms {
        hubs[0].committed(log.append(*id, 1));
        assert_eq!(frames(pull(session).await).len(), 1);
    }
    hubs[1].stats().bus_received.get() - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_away_takes_only_its_own_restaurants_with_it() {
    let first = RedisServer::start(&[]).await;
    let mut second = RedisServer::start(&[]).await;
    let log = Arc::new(FakeLog::default());
    let prefix = random_prefix();
    let hubs: Vec<_> = (0..2)
        .map(|_| {
            let redis = RedisConfig::new([first.url(), second.url()], &prefix);
            let bus = redis.bus().unwrap();
            Hub::start(rarely_comparing(), Arc::clone(&log) as _, bus)
        })
        .collect();
    until_reaches(&hubs, [Reach::Full; 2]).await;
    let mut rooms = Vec::new();
    for n in 1..=20 {
        let id = RestaurantId(Uuid::from_u128(n));
        log.open(id, epoch(1));
        let join = Join {
            restaurant_id: id,
            ..request(Since::Head)
        };
        rooms.push((id, hubs[1].join(join).await.unwrap().0));
    }
    assert_eq!(all_hear(&hubs, &log, &mut rooms).await, 20);
    let channels = async |server: &RedisServer| {
        let channels = server.tell("PUBSUB CHANNELS *restaurant*").await;
        channels.matches("restaurant:").count()
    };
    let (on_first, on_second) = (channels(&first).await, channels(&second).await);
    assert!(on_first + on_second == 20 && on_first > 0 && on_second > 0);

    second.kill();
    until_reaches(&hubs, [Reach::Full, Reach::Down]).await;
    assert_eq!(hubs[1].reach(), Reach::Down, "as far as the worst");
    let start = tokio::time::Instant::now();
    let by_bus = all_hear(&hubs, &log, &mut rooms).await;
    let each = start.elapsed() / u32::try_from(on_second).unwrap();
    measured("a shard killed: the mean delay of its restaurants", each);
    assert_eq!(by_bus, u64::try_from(on_first).unwrap());
    second.restart().await;
    until_reaches(&hubs, [Reach::Full; 2]).await;
    // What could not be said before is said now, by the way.
    wait::until("the bus again", DEADLINE, async || {
        (all_hear(&hubs, &log, &mut rooms).await >= 20).then_some(())
    })
    .await;
    for hub in &hubs {
        hub.shutdown().await;
        assert_eq!(hub.stats().resyncs.total(), 0);
    }
}

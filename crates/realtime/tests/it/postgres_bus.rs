//! Hubs of several workers over PostgreSQL's notifications.

use realtime::bus::Reach;
use realtime::{Hub, HubConfig, PostgresConfig};
use testkit::database::{Template, TestDatabase, admin_url};
use testkit::wait::{DEADLINE, until};
use tls::PostgresServer;

use crate::support::HERE;
use crate::support::expect;
use crate::support::house::{House, measured};

/// Notifications stay within a database: each test has one of its own, without tables.
async fn database() -> TestDatabase {
    let template = Template::prepare(&admin_url(), "without_tables", async |_| {}).await;
    template.create().await
}

async fn house(database: &TestDatabase, workers: usize) -> House {
    let make_bus = |url: &str| PostgresConfig::new(PostgresServer::parse(url).unwrap()).bus();
    House::on(&database.url, workers, make_bus).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_are_heard_and_events_are_read() {
    let database = database().await;
    let house = house(&database, 3).await;
    let mut sessions = house.one_session_each().await;
    for n in 0..300 {
        house.commit(n % 3, 1 + n % 2);
    }
    house.expect_all(&mut sessions, 1..=450).await;
    for n in 0..3 {
        let stats = house.hub(n).stats();
        // The log may have told all before the second of the others is heard.
        let received = until("both others to be heard", DEADLINE, async || {
            Some(stats.bus_received.get()).filter(|received| *received >= 2)
        });
        let received = received.await;
        // Of what committed while a notification was under way, only the last is told.
        assert!(received < 100, "{received} notifications");
        assert_eq!(
            (stats.bus_unreadable.get(), stats.bus_publish_failed.get()),
            (0, 0)
        );
    }
    measured(
        "notified: the longest delay",
        house.longest_delay(&mut sessions).await,
    );
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_bridged_by_the_log() {
    let database = database().await;
    let house = house(&database, 2).await;
    let mut sessions = house.one_session_each().await;
    house.proxy(0).refuse();
    measured("notified: a loss is noticed", house.until_down(0).await);
    house.until_reach(1, Reach::Partial).await;
    measured(
        "notified: the longest delay when lost",
        house.longest_delay(&mut sessions).await,
    );
    house.proxy(0).heal();
    measured("notified: back", house.until_full(0).await);
    house.until_full(1).await;
    house.until_heard(0, 1, &mut sessions).await;
    house.proxy(1).freeze();
    measured(
        "notified: a silent link is noticed",
        house.until_down(1).await,
    );
    house.commit(0, 3);
    let last = house.log.head(HERE).last_seq;
    expect(&mut sessions[1], &house.log, last - 2..=last).await;
    expect(&mut sessions[0], &house.log, last - 2..=last).await;
    house.proxy(1).heal();
    house.until_full(1).await;
    house.until_full(0).await;
    house.until_heard(0, 1, &mut sessions).await;
    house.until_heard(1, 0, &mut sessions).await;
    house.end().await;
}

#[tokio::test]
async fn a_bus_that_cannot_connect_is_down() {
    let log = std::sync::Arc::new(crate::support::log::FakeLog::default());
    let server = PostgresServer::parse("postgres://nobody@127.0.0.1:1/x").unwrap();
    let hub = Hub::start(HubConfig::new(|| 0), log, PostgresConfig::new(server).bus());
    assert!(!hub.bus_is_up());
    hub.shutdown().await;
}

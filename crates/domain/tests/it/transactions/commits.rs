//! COMMIT whose reply never comes: the caller gets the true answer.
//!
//! A deferred trigger on events keeps COMMIT waiting for a lock that the test holds.

use domain::Error;
use serde_json::json;
use testkit::proxy::Proxy;
use testkit::wait::{self, DEADLINE};
use tokio::time::timeout;
use wire::floor::guests::Guest;

use crate::house::House;
use crate::sql::Sql;
use crate::tablet::Tablet;

const HELD: &str = "
    CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER held AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_for_the_test();
    SELECT pg_advisory_lock(7)";

const IN_COMMIT: &str = "FROM pg_stat_activity WHERE datname = current_database()
    AND query = 'COMMIT' AND wait_event = 'advisory'";

/// A house whose commits wait, and a tablet that reaches it through a proxy.
struct Held {
    house: House,
    sql: Sql,
    proxy: Proxy,
    tablet: Tablet,
}

impl Held {
    async fn new() -> Self {
        let house = House::open().await;
        let sql = Sql::beside(&house.test).await;
        let proxy = Proxy::for_url(&house.url).await;
        let tablet = house.tablet.through(&house.pool(proxy.url(), 4, DEADLINE));
        futures_util::future::join_all((0..4).map(|_| tablet.head())).await;
        sql.run(HELD).await;
        Self {
            house,
            sql,
            proxy,
            tablet,
        }
    }

    /// Writes, and does `meanwhile` while COMMIT is under way.
    async fn write(&self, meanwhile: impl Future<Output = ()>) -> domain::Result<Guest> {
        let meanwhile = async {
            self.sql
                .until(
                    "a COMMIT that waits",
                    &format!("SELECT count(*) = 1 {IN_COMMIT}"),
                )
                .await;
            meanwhile.await;
        };
        let write = self
            .tablet
            .try_add_guest(json!({"guestName": "Ada", "partySize": 2}));
        let both = async { tokio::join!(write, meanwhile) };
        timeout(2 * DEADLINE, both).await.unwrap().0
    }

    async fn let_go(&self) {
        self.sql.run("SELECT pg_advisory_unlock(7)").await;
    }

    async fn until_committed(&self) {
        self.sql
            .until("the commit", "SELECT count(*) = 1 FROM events")
            .await;
    }

    /// What there is in the end; nobody is in the way any more.
    async fn close(self, guests: &[&str]) {
        self.let_go().await;
        assert_eq!(self.house.tablet.names(json!({})).await, guests);
        let events = self.house.tablet.events_after(0).await;
        assert_eq!(events.len(), guests.len(), "one event each: {events:?}");
        self.tablet.add_guest("Next", 2).await;
        self.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_committed() {
    let held = Held::new().await;
    let done = held
        .write(async {
            // The reply is on its way when the connection is lost.
            held.proxy.freeze();
            held.let_go().await;
            held.until_committed().await;
            held.proxy.cut();
            held.proxy.heal();
        })
        .await;
    assert_eq!(done.unwrap().guest_name, "Ada");
    held.close(&["Ada"]).await;
}

/// The events that the caller will publish are those of the log, too.
#[tokio::test(flavor = "multi_thread")]
async fn its_events_are_known_all_the_same() {
    let held = Held::new().await;
    let write = held.tablet.write(async |tx| {
        let input = serde_json::from_value(json!({"guestName": "Ada", "partySize": 2}))?;
        domain::floor::guests::create(tx, &input).await
    });
    let lose = async {
        held.sql
            .until(
                "a COMMIT that waits",
                &format!("SELECT count(*) = 1 {IN_COMMIT}"),
            )
            .await;
        held.proxy.freeze();
        held.let_go().await;
        held.until_committed().await;
        held.proxy.cut();
        held.proxy.heal();
    };
    let (done, ()) = tokio::join!(write, lose);
    let events = done.unwrap().appended.unwrap().events;
    let logged = held.sql.all::<String>("SELECT frame FROM events").await;
    assert_eq!(
        events
            .iter()
            .map(|event| event.frame.clone())
            .collect::<Vec<_>>(),
        logged
    );
    held.close(&["Ada"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_ended_by_the_server() {
    let held = Held::new().await;
    let done = held
        .write(async {
            held.sql
                .run(&format!("SELECT pg_terminate_backend(pid) {IN_COMMIT}"))
                .await;
        })
        .await;
    assert!(matches!(done, Err(Error::Unavailable(_))), "{done:?}");
    held.close(&[]).await;
}

/// The server looks after its client only now and then, and then gives up; until it does, the
/// outcome is open, and so the caller has to wait.
#[tokio::test(flavor = "multi_thread")]
async fn it_was_given_up_because_the_client_had_gone() {
    let held = Held::new().await;
    let done = held.write(async { held.proxy.cut() }).await;
    assert!(matches!(done, Err(Error::Unavailable(_))), "{done:?}");
    held.close(&[]).await;
}

/// The question cannot be asked at once.
#[tokio::test(flavor = "multi_thread")]
async fn it_was_committed_before_the_database_was_away() {
    let held = Held::new().await;
    let done = held
        .write(async {
            held.proxy.freeze();
            held.let_go().await;
            held.until_committed().await;
            // What is frozen must not thaw before it is cut.
            held.proxy.cut();
            held.proxy.refuse();
            wait::until("a pool without connections", DEADLINE, async || {
                (held.tablet.db.state().open == 0).then_some(())
            })
            .await;
            held.proxy.heal();
        })
        .await;
    assert_eq!(done.unwrap().guest_name, "Ada");
    held.close(&["Ada"]).await;
}

/// A constraint that is checked at the end of a transaction refuses it at COMMIT.
#[tokio::test(flavor = "multi_thread")]
async fn it_was_refused() {
    let held = Held::new().await;
    held.let_go().await;
    held.sql
        .run(
            "CREATE OR REPLACE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE check_violation; END'",
        )
        .await;
    let done = held
        .tablet
        .try_add_guest(json!({"guestName": "Ada", "partySize": 2}))
        .await;
    assert!(matches!(done, Err(Error::Database(_))), "{done:?}");
    held.sql.run("DROP TRIGGER held ON events").await;
    held.close(&[]).await;
}

/// After a failover or a restore, what is found under its number is not what was written.
#[tokio::test(flavor = "multi_thread")]
async fn it_was_in_another_life_of_the_database() {
    let held = Held::new().await;
    let done = held
        .write(async {
            held.proxy.freeze();
            held.let_go().await;
            held.until_committed().await;
            held.sql
                .run("UPDATE database_identity SET identity = 'another'")
                .await;
            held.proxy.cut();
            held.proxy.heal();
        })
        .await;
    assert!(matches!(done, Err(Error::OutcomeUnknown)), "{done:?}");
    held.close(&["Ada"]).await;
}

/// The number that it would have had is another's by the time of the question, as after a crash
/// that left nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn it_was_undone_and_another_took_its_place() {
    let held = Held::new().await;
    let done = held
        .write(async {
            held.proxy.freeze();
            held.sql
                .run(&format!("SELECT pg_terminate_backend(pid) {IN_COMMIT}"))
                .await;
            held.sql
                .until("its end", &format!("SELECT count(*) = 0 {IN_COMMIT}"))
                .await;
            held.let_go().await;
            held.house.tablet.add_guest("Bob", 2).await;
            held.proxy.cut();
            held.proxy.heal();
        })
        .await;
    assert!(matches!(done, Err(Error::Unavailable(_))), "{done:?}");
    held.close(&["Bob"]).await;
}

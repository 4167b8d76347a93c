//! Callers that leave: their locks and their transaction go with them.

use std::future::pending;

use diesel_async::RunQueryDsl;
use domain::db::{PgConnection, Tx};
use domain::floor::guests;
use serde_json::json;
use testkit::wait::DEADLINE;
use tokio::sync::Notify;
use tokio::time::timeout;
use wire::floor::guests::UpdateGuest;

use crate::house::House;
use crate::sql::Sql;

fn renamed(name: &str) -> UpdateGuest {
    UpdateGuest {
        guest_name: Some(name.to_owned()),
        ..UpdateGuest::default()
    }
}

/// Runs `doing` until `reached`, and then drops it.
async fn leave(doing: impl Future<Output: std::fmt::Debug>, reached: impl Future<Output = ()>) {
    let doing = async {
        let done = doing.await;
        panic!("done before it was left: {done:?}");
    };
    tokio::select! {
        () = doing => {}
        () = reached => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_left_gives_its_locks_back() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let changed = Notify::new();
    let doing = house.tablet.write(async |tx: &mut Tx<'_>| {
        guests::update(tx, guest.id, &renamed("Nobody"), None).await?;
        changed.notify_one();
        pending::<domain::Result<()>>().await
    });
    leave(doing, changed.notified()).await;

    sql.until_nobody_is_in_a_transaction().await;
    let next = house
        .tablet
        .try_change_guest(guest.id, json!({"notes": "by the window"}));
    let next = timeout(DEADLINE, next).await.unwrap().unwrap();
    assert_eq!(next.guest_name, "Ada");
    house.close().await;
}

/// The server finds out only by looking, because the session is asleep in a queue.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_left_leaves_the_queue() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let in_the_way = Sql::beside(&house.test).await;
    in_the_way.run("BEGIN; SELECT FROM guests FOR UPDATE").await;

    let doing = house
        .tablet
        .try_change_guest(guest.id, json!({"guestName": "Nobody"}));
    leave(doing, sql.until_waiting(1)).await;
    sql.until_waiting(0).await;
    in_the_way.run("ROLLBACK").await;
    sql.until_nobody_is_in_a_transaction().await;
    assert_eq!(house.tablet.guest(guest.id).await.unwrap(), guest);
    house.close().await;
}

/// Nobody may find an open transaction in the pool, whatever was going on in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_does_not_come_back_to_the_pool() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let one = house.pool(&house.url, 1, DEADLINE);
    let tablet = house.tablet.through(&one);
    let began = Notify::new();
    for _ in 0..3 {
        let writing = tablet.write(async |_: &mut Tx<'_>| {
            began.notify_one();
            pending::<domain::Result<()>>().await
        });
        leave(writing, began.notified()).await;
        let reading = one.read("test", async |conn: &mut PgConnection| {
            guests::get(conn, tablet.id(), guest.id).await?;
            began.notify_one();
            pending::<domain::Result<()>>().await
        });
        leave(reading, began.notified()).await;
        let watching = one.snapshot("test", async |conn: &mut PgConnection| {
            guests::get(conn, tablet.id(), guest.id).await?;
            began.notify_one();
            pending::<domain::Result<()>>().await
        });
        leave(watching, began.notified()).await;

        sql.until_nobody_is_in_a_transaction().await;
        assert_eq!(tablet.guest(guest.id).await.unwrap(), guest);
    }
    assert_eq!(one.state().open, 1);
    house.close().await;
}

/// A statement that runs when its caller leaves is not finished by whoever comes next.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_left_in_a_statement_ends() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let in_the_way = Sql::beside(&house.test).await;
    in_the_way.run("SELECT pg_advisory_lock(7)").await;
    for is_snapshot in [false, true] {
        let one = house.pool(&house.url, 1, DEADLINE);
        let wait = async |conn: &mut PgConnection| {
            Ok(diesel::sql_query("SELECT pg_advisory_lock_shared(7)")
                .execute(conn)
                .await?)
        };
        if is_snapshot {
            leave(one.snapshot("test", wait), sql.until_waiting(1)).await;
        } else {
            leave(one.read("test", wait), sql.until_waiting(1)).await;
        }
        let head = timeout(DEADLINE, house.tablet.through(&one).head())
            .await
            .unwrap();
        assert_eq!(head.last_seq, 0);
        sql.until_waiting(0).await;
    }
    sql.until_nobody_is_in_a_transaction().await;
}

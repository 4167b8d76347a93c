//! Connections that cannot be had, and connections that die.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel_async::RunQueryDsl;
use domain::Error;
use domain::db::{PgConnection, Tx, ping};
use domain::floor::guests;
use serde_json::json;
use testkit::proxy::Proxy;
use testkit::wait::DEADLINE;
use tokio::sync::Notify;
use wire::floor::guests::CreateGuest;

use crate::house::House;
use crate::sql::Sql;
use crate::support::code;
use wire::ErrorCode;

const SHORT: Duration = Duration::from_millis(200);

/// A failover: the first of two addresses does not answer any more, the second does.
#[tokio::test(flavor = "multi_thread")]
async fn go_to_another_address_when_the_first_is_gone() {
    let house = House::open().await;
    let (first, second) = (
        Proxy::for_url(&house.url).await,
        Proxy::for_url(&house.url).await,
    );
    let both = format!("{},{}", first.addr(), second.addr());
    let url = first.url().replace(&first.addr().to_string(), &both);
    let sign = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{sign}target_session_attrs=read-write");
    let tablet = house.tablet.through(&house.pool(&url, 2, DEADLINE));
    tablet.add_guest("Ada", 2).await;
    assert_eq!(second.accepted(), 0);
    first.refuse();
    tablet.add_guest("Bob", 2).await;
    assert_eq!(second.accepted(), 1);
    assert_eq!(tablet.events_after(0).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_free_in_time_is_unavailable() {
    let house = House::open().await;
    let one = house.pool(&house.url, 1, SHORT);
    let taken = Notify::new();
    let mut in_the_way = Box::pin(one.read("test", async |_: &mut PgConnection| {
        taken.notify_one();
        pending::<domain::Result<()>>().await
    }));
    tokio::select! {
        _ = &mut in_the_way => panic!("never ends"),
        () = taken.notified() => {}
    }
    let tablet = house.tablet.through(&one);
    let two_waits = async {
        assert_eq!(code(one.read("test", ping).await), ErrorCode::Unavailable);
        assert_eq!(code(one.read("test", ping).await), ErrorCode::Unavailable);
    };
    tokio::select! {
        biased;
        refused = tablet.try_add_guest(json!({"guestName": "Ada", "partySize": 2})) => {
            assert_eq!(code(refused), ErrorCode::Unavailable);
        }
        () = two_waits => panic!("a write waits more than once"),
    }
    drop(in_the_way);
    one.read("test", ping).await.unwrap();
    assert_eq!(house.tablet.head().await.last_seq, 0);
}

/// After a restart of the database all that the pool has is dead; the caller does not notice.
#[tokio::test(flavor = "multi_thread")]
async fn that_died_between_uses_are_replaced() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let pool = house.pool(&house.url, 4, DEADLINE);
    let tablet = house.tablet.through(&pool);
    for round in 1..=3 {
        let all_at_once = (0..4).map(|_| tablet.head());
        futures_util::future::join_all(all_at_once).await;
        sql.end_all_sessions().await;
        tablet.add_guest("Ada", 2).await;
        sql.end_all_sessions().await;
        assert_eq!(tablet.head().await.last_seq, round);
    }
    tablet.guest(domain::clock::new_id()).await.unwrap_err();
    house.close().await;
}

/// The same for the one connection that dies half way: the operation runs again from its start.
#[tokio::test(flavor = "multi_thread")]
async fn that_dies_in_a_transaction_is_no_half_of_one() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let tries = AtomicU32::new(0);
    let input = CreateGuest {
        guest_name: Some("Ada".to_owned()),
        party_size: Some(2),
        ..CreateGuest::default()
    };
    house
        .tablet
        .write(async |tx: &mut Tx<'_>| {
            guests::create(tx, &input).await?;
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                sql.end_all_sessions().await;
            }
            guests::create(tx, &input).await
        })
        .await
        .unwrap();
    assert_eq!(tries.into_inner(), 2);
    assert_eq!(house.tablet.names(json!({})).await, ["Ada", "Ada"]);
    assert_eq!(house.tablet.head().await.last_seq, 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_die_every_time_are_unavailable_in_the_end() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let failed = house
        .tablet
        .write(async |tx: &mut Tx<'_>| {
            sql.end_all_sessions().await;
            guests::get(tx.conn, tx.restaurant_id(), domain::clock::new_id()).await
        })
        .await;
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    house.close().await;
}

/// A database that is away, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn to_nowhere_are_unavailable_until_somebody_is_there() {
    let house = House::open().await;
    let proxy = Proxy::for_url(&house.url).await;
    let db = house.pool(proxy.url(), 2, DEADLINE);
    let tablet = house.tablet.through(&db);
    let input = || json!({"guestName": "Ada", "partySize": 2});
    tablet.try_add_guest(input()).await.unwrap();
    proxy.refuse();
    assert_eq!(
        code(tablet.try_add_guest(input()).await),
        ErrorCode::Unavailable
    );
    assert_eq!(code(db.read("test", ping).await), ErrorCode::Unavailable);
    proxy.heal();
    tablet.try_add_guest(input()).await.unwrap();
    db.read("test", ping).await.unwrap();
    assert_eq!(house.tablet.head().await.last_seq, 2);
    house.close().await;
}

/// Settings of ours that a server's own must not replace.
#[tokio::test(flavor = "multi_thread")]
async fn wait_for_the_disk_and_not_for_ever() {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        setting: String,
    }
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let name = house.url.rsplit('/').next().unwrap();
    sql.run(&format!(
        "ALTER DATABASE {name} SET synchronous_commit = off"
    ))
    .await;
    let db = house.pool(&house.url, 1, DEADLINE);
    for (name, expected) in [
        ("synchronous_commit", "on"),
        ("statement_timeout", "10s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "15s"),
        ("TimeZone", "UTC"),
    ] {
        let query = format!("SELECT current_setting('{name}') AS setting");
        let row: Row = db
            .read("test", async |conn| {
                Ok(diesel::sql_query(&query).get_result(conn).await?)
            })
            .await
            .unwrap();
        assert_eq!(row.setting, expected, "{name}");
    }
}

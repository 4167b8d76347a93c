//! Whether the database is there is told without anybody's connections.

use std::future::pending;
use std::time::Duration;

use domain::Error;
use domain::db::PgConnection;
use futures_util::future::join_all;
use testkit::proxy::Proxy;
use testkit::wait::DEADLINE;
use tokio::sync::Notify;

use crate::house::House;
use crate::sql::Sql;

/// So long is waited for an answer that does not come.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_waits_for_nobody() {
    let house = House::open().await;
    let proxy = Proxy::for_url(&house.url).await;
    let db = house.pool(proxy.url(), 1, DEADLINE);
    let taken = Notify::new();
    let all = db.read("test", async |_: &mut PgConnection| {
        taken.notify_one();
        pending::<domain::Result<()>>().await
    });
    let looks = async {
        taken.notified().await;
        for _ in 0..5 {
            db.look(DEADLINE).await.unwrap();
        }
        let many = join_all((0..50).map(|_| db.look(DEADLINE))).await;
        assert!(many.iter().all(Result::is_ok));
    };
    tokio::select! {
        _ = all => unreachable!("it never ends"),
        () = looks => {}
    }
    assert_eq!(proxy.accepted(), 2, "one that reads, and one to look");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_or_hangs_is_seen_and_so_is_its_return() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let proxy = Proxy::for_url(&house.url).await;
    let db = house.pool(proxy.url(), 1, DEADLINE);
    db.look(DEADLINE).await.unwrap();
    // It was restarted: nobody needs to know.
    sql.end_all_sessions().await;
    db.look(DEADLINE).await.unwrap();
    for away in [Proxy::refuse, Proxy::freeze] {
        away(&proxy);
        let looked = db.look(SHORT).await;
        assert!(matches!(looked, Err(Error::Unavailable(_))), "{looked:?}");
        let many = join_all((0..20).map(|_| db.look(SHORT))).await;
        assert!(many.iter().all(Result::is_err));
        proxy.heal();
        db.look(DEADLINE).await.unwrap();
    }
    house.close().await;
}

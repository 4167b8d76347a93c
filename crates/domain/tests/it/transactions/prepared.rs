//! What a connection costs: statements that are prepared once, and threads that need not wake
//! others.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use domain::db::{Db, PgConnection, ping};
use serde_json::json;
use testkit::wait::DEADLINE;
use tokio::sync::Semaphore;
use wire::ErrorCode;

use crate::house::House;
use crate::support::code;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn prepared(db: &Db, like: &'static str) -> i64 {
    let count = db.read("test", async move |conn: &mut PgConnection| {
        let sql = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE $1";
        let query = diesel::sql_query(sql).bind::<diesel::sql_types::Text, _>(like);
        Ok(query.get_result::<Count>(conn).await?.count)
    });
    count.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_prepared_once_whatever_is_in_it() {
    let house = House::open().await;
    let one = house.pool(&house.url, 1, DEADLINE);
    let tablet = house.tablet.through(&one);
    let guest = tablet.add_guest("Ada", 2).await;
    let with = json!({"notes": "by the window", "phone": "+49 30 1"});
    let changed = tablet.change_guest(guest.id, with).await;
    assert_eq!(changed.notes.as_deref(), Some("by the window"));
    let without = json!({"notes": null, "phone": null, "partySize": 3});
    let changed = tablet.change_guest(guest.id, without).await;
    assert_eq!((changed.notes, changed.phone), (None, None));
    assert_eq!(tablet.guest(guest.id).await.unwrap().party_size, 3);
    assert_eq!(prepared(&one, "UPDATE \"guests\" SET%").await, 1);
    assert_eq!(prepared(&one, "WITH head AS (UPDATE log_heads%").await, 1);
    house.close().await;
}

/// Runs on a thread with a runtime of its own, as those have that answer requests.
async fn on_a_thread<T: Send + 'static>(run: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let thread = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(run())
    };
    tokio::task::spawn_blocking(thread).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_settled_has_connections_of_its_own() {
    let house = House::open().await;
    let db = house.shared_out(8, 1, Duration::from_millis(200));
    // All that are for everybody: two of eight.
    let taken = Arc::new(Semaphore::new(0));
    let in_the_way: Vec<_> = (0..2)
        .map(|_| {
            let (db, taken) = (db.clone(), Arc::clone(&taken));
            tokio::spawn(async move {
                let read = db.read("test", async move |_: &mut PgConnection| {
                    taken.add_permits(1);
                    pending::<domain::Result<()>>().await
                });
                read.await.unwrap();
            })
        })
        .collect();
    taken.acquire_many(2).await.unwrap().forget();
    assert_eq!(code(db.read("test", ping).await), ErrorCode::Unavailable);

    let settled = db.clone();
    let state = on_a_thread(async move || {
        let (home, again) = (settled.settle().unwrap(), settled.settle().unwrap());
        settled.read("test", ping).await.unwrap();
        drop(again);
        settled.read("test", ping).await.unwrap();
        let state = settled.state();
        drop(home);
        assert_eq!(
            code(settled.read("test", ping).await),
            ErrorCode::Unavailable
        );
        state
    })
    .await;
    assert_eq!((state.open, state.idle, state.limit), (3, 1, 8));
    in_the_way.iter().for_each(tokio::task::JoinHandle::abort);
    house.close().await;
}

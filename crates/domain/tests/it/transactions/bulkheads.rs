//! One greedy house, and all others beside it.

use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use domain::db::{BulkheadState, Db, PgConnection, Tx, Usage, ping, serving, serving_counted};
use futures_util::future::join_all;
use serde_json::json;
use testkit::wait::{DEADLINE, until};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, oneshot};
use wire::{ErrorCode, RestaurantId};

use crate::house::House;
use crate::sql::Sql;
use crate::support::code;
use crate::tablet::Tablet;

const SHORT: Duration = Duration::from_millis(200);

/// What a pool of eight lets one house write at once, and how many more wait.
const AT_ONCE: usize = 4;
const IN_LINE: usize = 256;

async fn until_in_line(db: &Db, what: fn(&BulkheadState) -> usize, many: usize) {
    until("the house's line", DEADLINE, async || {
        (what(&db.bulkheads()) == many).then_some(())
    })
    .await;
}

/// Everything that others do.
async fn all_go_on(other: &Tablet) {
    other.add_guest("Bob", 2).await;
    assert!(!other.names(json!({})).await.is_empty());
    let db = &other.db;
    serving(other.id(), db.read("test", ping)).await.unwrap();
    db.read("test", ping).await.unwrap();
    db.transaction("test", async |conn, _| ping(conn).await)
        .await
        .unwrap();
}

/// Polls `work` as long as it takes for `meanwhile` to be done.
async fn beside<T>(work: impl Future, meanwhile: impl Future<Output = T>) -> T {
    let work = async {
        work.await;
        pending().await
    };
    tokio::select! {
        done = meanwhile => done,
        () = work => unreachable!("it never ends"),
    }
}

/// A read of a house that has begun, and does not end.
async fn reads_for_ever(db: &Db, house: RestaurantId, begun: &Semaphore) {
    let read = db.read("test", async |_: &mut PgConnection| {
        begun.add_permits(1);
        pending::<domain::Result<()>>().await
    });
    serving(house, read).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_wait_for_each_other_are_in_nobodys_way() {
    let house = House::open().await;
    let db = house.pool(&house.url, 8, DEADLINE);
    let other = Tablet::of_new_restaurant(&db, "Europe/Berlin").await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let sql = Sql::beside(&house.test).await;
    let in_the_way = Sql::beside(&house.test).await;
    in_the_way.run("BEGIN; SELECT FROM guests FOR UPDATE").await;

    let tablet = house.tablet.through(&db);
    let write =
        |number: usize| tablet.try_change_guest(guest.id, json!({"notes": number.to_string()}));
    let writers = join_all((0..50).map(write));
    let meanwhile = async {
        until_in_line(&db, |state| state.writes_in_line, 50 - AT_ONCE).await;
        sql.until_waiting(u32::try_from(AT_ONCE).unwrap()).await;
        all_go_on(&other).await;
        // The house itself reads, too.
        serving(tablet.id(), db.read("test", ping)).await.unwrap();

        // So many more, and the line is full; what comes then is told so at once.
        let more = join_all((0..IN_LINE - 50 + AT_ONCE).map(write));
        let excess = async {
            until_in_line(&db, |state| state.writes_in_line, IN_LINE).await;
            let excess = join_all((0..5).map(write)).await;
            all_go_on(&other).await;
            in_the_way.run("COMMIT").await;
            excess
        };
        tokio::join!(more, excess)
    };
    let (written, (more, excess)) = tokio::join!(writers, meanwhile);
    for refused in excess {
        assert_eq!(code(refused), ErrorCode::TooMany);
    }
    for done in written.into_iter().chain(more) {
        done.unwrap();
    }
    let nobody = BulkheadState {
        writes_refused: 5,
        ..BulkheadState::default()
    };
    assert_eq!(db.bulkheads(), nobody, "nothing is left of who was here");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_reads_of_a_house_are_in_nobodys_way() {
    let house = House::open().await;
    let db = house.pool(&house.url, 8, SHORT);
    let other = Tablet::of_new_restaurant(&db, "Europe/Berlin").await;
    let begun = Semaphore::new(0);
    let readers = join_all((0..AT_ONCE).map(|_| reads_for_ever(&db, house.id(), &begun)));
    beside(readers, async {
        let all = u32::try_from(AT_ONCE).unwrap();
        begun.acquire_many(all).await.unwrap().forget();
        let asked = serving(house.id(), db.read("test", ping)).await;
        assert_eq!(code(asked), ErrorCode::TooMany, "its line is too slow");
        all_go_on(&other).await;
        // It writes, too.
        house.tablet.through(&db).add_guest("Ada", 2).await;
    })
    .await;
    assert_eq!(db.bulkheads().houses, 0);
    house.close().await;
}

/// Those who hang up while they wait leave the line.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_the_line_is_not_waited_for() {
    let house = House::open().await;
    let db = house.pool(&house.url, 8, DEADLINE);
    let tablet = house.tablet.through(&db);
    let holding = Semaphore::new(0);
    let hold = async || {
        let held = tablet.write(async |_: &mut Tx<'_>| {
            holding.add_permits(1);
            pending::<domain::Result<()>>().await
        });
        held.await.unwrap();
    };
    let holders = join_all((0..AT_ONCE).map(|_| hold()));
    beside(holders, async {
        let all = u32::try_from(AT_ONCE).unwrap();
        holding.acquire_many(all).await.unwrap().forget();
        {
            let mut waits = pin!(join_all((0..10).map(|_| hold())));
            tokio::select! {
                _ = &mut waits => unreachable!("nobody makes room"),
                () = until_in_line(&db, |state| state.writes_in_line, 10) => {}
            }
        }
        let state = db.bulkheads();
        assert_eq!((state.writes_in_line, state.writes_refused), (0, 0));
    })
    .await;
    tablet.add_guest("Ada", 2).await;
    assert_eq!(db.bulkheads(), BulkheadState::default());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_do_not_take_what_houses_need() {
    let house = House::open().await;
    let db = house.pool(&house.url, 8, SHORT);
    let other = Tablet::of_new_restaurant(&db, "Europe/Berlin").await;
    let begun = Semaphore::new(0);
    let login = async || {
        let held = db.transaction("test", async |_, _| {
            begun.add_permits(1);
            pending::<domain::Result<()>>().await
        });
        held.await
    };
    let half = join_all((0..4).map(|_| login()));
    beside(half, async {
        begun.acquire_many(4).await.unwrap().forget();
        assert_eq!(code(login().await), ErrorCode::Unavailable);
        other.add_guest("Bob", 2).await;
        serving(other.id(), db.read("test", ping)).await.unwrap();
        db.read("test", ping).await.unwrap();
    })
    .await;
    house.close().await;
}

/// Work in the background has connections of its own, whatever requests wait for; and a thread of
/// which all connections are taken uses those of others.
#[tokio::test(flavor = "multi_thread")]
async fn requests_and_the_background_are_not_in_each_others_way() {
    let house = House::open().await;
    let db = house.shared_out(8, 2, DEADLINE);
    let other = Tablet::of_new_restaurant(&db, "Europe/Berlin").await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let in_the_way = Sql::beside(&house.test).await;
    in_the_way.run("BEGIN; SELECT FROM guests FOR UPDATE").await;
    let idle = db.clone();
    let (end, ended) = oneshot::channel::<()>();
    let (settled, is_settled) = oneshot::channel();
    let second = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let _home = idle.settle().unwrap();
            settled.send(()).unwrap();
            // Its drivers run as long as it does.
            ended.await.unwrap();
        });
    });
    is_settled.await.unwrap();

    let (there, tablet) = (db.clone(), house.tablet.through(&db));
    let (requests, others) = (other.clone(), other);
    let first = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let _home = there.settle().unwrap();
            let write = |_| tablet.try_change_guest(guest.id, json!({"notes": "again"}));
            let writers = join_all((0..50).map(write));
            let meanwhile = async {
                // Three of three of its own.
                until_in_line(&there, |state| state.writes_in_line, 47).await;
                all_go_on(&requests).await;
                requests
            };
            tokio::join!(writers, meanwhile).0
        })
    });
    until_in_line(&db, |state| state.writes_in_line, 47).await;
    all_go_on(&others).await;
    in_the_way.run("COMMIT").await;
    let written = tokio::task::spawn_blocking(|| first.join().unwrap());
    for done in written.await.unwrap() {
        done.unwrap();
    }
    end.send(()).unwrap();
    tokio::task::spawn_blocking(|| second.join().unwrap())
        .await
        .unwrap();
    assert_eq!(db.bulkheads(), BulkheadState::default());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_house_holds_of_the_database_is_counted() {
    let house = House::open().await;
    let (tablet, usage) = (&house.tablet, Usage::default());
    let id = tablet.id();
    let read = || async { tablet.db.read("test", ping).await.unwrap() };

    serving_counted(id, usage.clone(), read()).await;
    let by_a_read = usage.held();
    assert!(!by_a_read.is_zero());
    // What is done for the house within counts, too.
    let within = async { serving(id, read()).await };
    serving_counted(id, usage.clone(), within).await;
    let by_two = usage.held();
    assert!(by_two > by_a_read);
    serving_counted(id, usage.clone(), tablet.add_guest("Ada", 2)).await;
    let by_all = usage.held();
    assert!(by_all > by_two);
    // What others do does not, nor what is done for the house elsewhere.
    serving(id, read()).await;
    read().await;
    assert_eq!(usage.held(), by_all);
    house.close().await;
}

//! A link that carries nothing any more and says nothing about it: a lost route, a frozen machine.
//!
//! Time is the test's: it stands still on the runtime that waits for the database, and jumps to
//! the next deadline when there is nothing else to wait for. The database's drivers and the proxy
//! run elsewhere, in real time.

use domain::Error;
use domain::db::{Db, PgConnection, ping};
use testkit::proxy::Proxy;
use testkit::wait::DEADLINE;
use tokio::runtime::{Builder, Runtime};

use crate::house::House;

/// Runs `silently` with a pool of one connection, which is open and lies behind the proxy.
fn behind(silently: impl AsyncFnOnce(&Proxy, Db)) {
    let outside = Runtime::new().unwrap();
    let (house, proxy, db) = outside.block_on(async {
        let house = House::open().await;
        let proxy = Proxy::for_url(&house.url).await;
        let db = house.pool(proxy.url(), 1, DEADLINE);
        db.read("test", ping).await.unwrap();
        (house, proxy, db)
    });
    let waiting = Builder::new_current_thread().enable_all().build().unwrap();
    waiting.block_on(silently(&proxy, db));
    drop(proxy);
    outside.block_on(house.close());
}

#[test]
fn is_unavailable_in_the_end() {
    behind(async |proxy, db| {
        proxy.freeze();
        tokio::time::pause();
        let read = db.read("test", ping).await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
        assert_eq!(db.state().open, 0, "nobody gets it again");
    });
    behind(async |proxy, db| {
        proxy.freeze();
        tokio::time::pause();
        let untold = db
            .transaction("test", async |conn, _| ping(conn).await)
            .await;
        assert!(matches!(untold, Err(Error::Unavailable(_))), "{untold:?}");
        assert_eq!(db.state().open, 0, "nobody gets it again");
    });
}

#[test]
fn in_the_middle_of_a_snapshot_is_no_better() {
    behind(async |proxy, db| {
        let read = async |conn: &mut PgConnection| {
            proxy.freeze();
            tokio::time::pause();
            ping(conn).await
        };
        let read = db.snapshot("test", read).await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
        assert_eq!(db.state().open, 0);
    });
}

/// Without events there is nothing to ask by, and so no answer that would be true.
#[test]
fn at_a_commit_leaves_the_outcome_open() {
    behind(async |proxy, db| {
        let done = db
            .transaction("test", async |_, _| {
                proxy.freeze();
                tokio::time::pause();
                Ok(())
            })
            .await;
        assert!(matches!(done, Err(Error::OutcomeUnknown)), "{done:?}");
        assert_eq!(db.state().open, 0);
    });
}

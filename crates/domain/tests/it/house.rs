//! One restaurant in a database of its own, and the tablets on which its staff works.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::db::{Db, DbConfig};
use domain::{Error, Result};
use serde_json::Value;
use tokio::runtime::Handle;
use wire::RestaurantId;
use wire::Role;

use crate::replay;
use crate::sql::url_of;
use crate::support::TestDb;
use crate::tablet::Tablet;

/// A restaurant in Berlin, and a manager's tablet.
pub(crate) struct House {
    pub(crate) test: TestDb,
    /// Where its database is.
    pub(crate) url: String,
    pub(crate) tablet: Tablet,
}

impl House {
    pub(crate) async fn open() -> Self {
        let test = TestDb::new().await;
        let tablet = Tablet::of_new_restaurant(&test.db, "Europe/Berlin").await;
        let url = url_of(&test.db).await;
        Self { test, url, tablet }
    }

    pub(crate) fn id(&self) -> RestaurantId {
        self.tablet.scope.restaurant_id
    }

    pub(crate) fn db(&self) -> &Db {
        &self.test.db
    }

    /// Another pool, as another worker has it; `url` is the database's or leads there.
    pub(crate) fn pool(&self, url: &str, pool_size: usize, wait: Duration) -> Db {
        self.open_pool(url, pool_size, 0, wait)
    }

    /// The same for a worker of which so many threads answer requests.
    pub(crate) fn shared_out(&self, pool_size: usize, threads: usize, wait: Duration) -> Db {
        self.open_pool(&self.url, pool_size, threads, wait)
    }

    fn open_pool(&self, url: &str, pool_size: usize, threads: usize, wait: Duration) -> Db {
        let clock = self.test.clock.clone();
        let config = DbConfig {
            url: url.to_owned(),
            pool_size,
            threads,
            wait,
            clock: Clock::new(move || clock.now()),
            observer: Arc::new(()),
        };
        Db::new(config, Handle::current()).unwrap()
    }

    /// Another tablet, in the hands of somebody with this role.
    pub(crate) fn tablet(&self, role: Role) -> Tablet {
        let mut tablet = self.tablet.clone();
        tablet.scope.actor.role = role;
        tablet
    }

    /// The end of a test: whatever was done, the rows agree with each other and with the log.
    pub(crate) async fn close(self) {
        replay::check(&self.tablet).await;
    }
}

/// What could not be found.
#[track_caller]
pub(crate) fn missing<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result {
        Err(Error::NotFound(what)) => what,
        other => panic!("should not have been found: {other:?}"),
    }
}

/// The resource as it is, which somebody had an older version of.
#[track_caller]
pub(crate) fn stale<T: std::fmt::Debug>(result: Result<T>) -> Value {
    match result {
        Err(Error::Stale(current)) => *current,
        other => panic!("should have been stale: {other:?}"),
    }
}

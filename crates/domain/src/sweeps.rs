//! What is swept: rows that nobody can use any more, and what was kept for long enough.
//!
//! Each kind of rows is a [`Sweep`], registered in `rooms.rs`. Every worker sweeps; rows that
//! another one has are skipped, so there is no leader. Each is by itself: one that fails stops no
//! other.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use futures_util::future::BoxFuture;

use crate::Result;

/// How long the installation keeps what happened.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Events of the log.
    pub events: TimeDelta,
    /// Entries of the audit.
    pub audit: TimeDelta,
}

/// What a sweep is told.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// The time.
    pub now: DateTime<Utc>,
    /// How long things are kept.
    pub retention: Retention,
    /// How many rows may go at once.
    pub batch: i64,
}

/// How often rows are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// Once a minute.
    Minutely,
    /// Every ten minutes.
    Seldom,
}

/// One kind of rows that go in time.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// What it is called as an operation, in logs and metrics: a noun and a verb.
    pub name: &'static str,
    /// How often.
    pub often: Often,
    /// How many rows go at once.
    pub batch: i64,
    /// Removes at most so many rows, in the transaction that is handed to it. Returns how many
    /// went; when none did, there are none left.
    pub run: for<'c> fn(&'c mut AsyncPgConnection, Round) -> BoxFuture<'c, Result<usize>>,
}

/// A sweep of rows whose time is over, which `$sweep(conn, now, batch)` removes.
macro_rules! expired {
    ($name:literal, $sweep:path) => {
        $crate::sweeps::Sweep {
            name: $name,
            often: $crate::sweeps::Often::Seldom,
            batch: 1000,
            run: |conn, round| Box::pin($sweep(conn, round.now, round.batch)),
        }
    };
}
pub(crate) use expired;

//! A replica: a copy of the database that follows it, for reads that may be a little old.
//!
//! Each read proves by itself that it may be answered from there. It is one transaction that sees
//! one moment, and first asks of that moment: is this server still following (it may have been
//! promoted under our connection), is it a copy of our primary, how old is the moment, and does it
//! contain what the caller must not miss. So it does not matter if the address leads to another
//! server in between, or if it falls behind in between.
//!
//! **How old** is told by the primary's heartbeat, a row with the primary's time that whichever
//! worker comes first renews every second. A moment in which it reads 12:00:07 contains everything
//! that was committed before 12:00:07 by the primary's clock. (`pg_last_xact_replay_timestamp()`
//! would call a replica of an idle primary old.)
//!
//! **Whose copy** is told by `database_identity`, which is copied too: a database that was restored
//! from ours and used has another. One that was split off and not used carries ours, but its
//! heartbeat stands still.
//!
//! What a replica cannot answer is for the primary: nothing here is an error to the caller.

mod moment;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::timeout;
use wire::{Position, RestaurantId};

use super::connect::Role;
use super::pool::{Db, DbConfig, Observer};
use super::serving::serving;
use crate::clock::Clock;
use crate::{Error, Result};
use moment::{contains, judge, moment};

/// How long a read may take here, the wait for a connection included. The primary's answer comes
/// on top, so a caller notices a replica that hangs, once: then it is left alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait for a connection.
const WAIT: Duration = Duration::from_millis(500);

/// How long a replica is left alone that did not answer, or that is none.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// Where the replica is and how it is used.
pub struct ReplicaConfig {
    /// `postgres://…`.
    pub url: String,
    /// Connections at most.
    pub pool_size: usize,
    /// How old an answer may be.
    pub max_lag: Duration,
    /// Who is told of every read that is answered here.
    pub observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for ReplicaConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the URL: it carries a password.
        f.debug_struct("ReplicaConfig")
            .field("pool_size", &self.pool_size)
            .field("max_lag", &self.max_lag)
            .finish_non_exhaustive()
    }
}

/// How a replica stands, as it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It answers, and was so old.
    Fresh(Duration),
    /// It answers, but was so old, which is too old.
    Behind(Duration),
    /// It is not to be used, and why.
    Away(&'static str),
}

/// What came of asking a replica.
#[derive(Debug)]
pub enum NearBy<T> {
    /// The answer.
    Read(T),
    /// It does not have yet what the caller must not miss, is too old altogether, or has no
    /// connection left for this restaurant.
    Behind,
    /// It does not answer, or is no replica of the primary.
    Away,
}

/// A replica. Cheap to clone.
#[derive(Clone)]
pub struct Replica {
    db: Db,
    max_lag: TimeDelta,
    observer: Arc<dyn Observer>,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    standing: Standing,
    /// `None` until the primary has been seen.
    primary: Option<Primary>,
    left_alone_until: Option<Instant>,
}

/// The primary as it was last seen.
#[derive(Clone)]
struct Primary {
    identity: Arc<str>,
    /// Its clock.
    time: DateTime<Utc>,
    /// When it was asked for it.
    asked: Instant,
}

impl Primary {
    /// What its clock says now; rather a little more than less.
    fn now(&self) -> DateTime<Utc> {
        let since = TimeDelta::from_std(self.asked.elapsed()).unwrap_or(TimeDelta::MAX);
        self.time.checked_add_signed(since).unwrap_or(self.time)
    }
}

impl Replica {
    /// Makes the pool; no connection is opened yet, and nothing is read from the replica before the
    /// first [`Replica::watch`]. The drivers of its connections run on `runtime`.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub fn new(config: ReplicaConfig, runtime: Handle) -> Result<Self> {
        let pool = DbConfig {
            url: config.url,
            pool_size: config.pool_size,
            threads: 0,
            wait: WAIT,
            clock: Clock::system(),
            // What fails here is no failure of an operation: the primary answers.
            observer: Arc::new(()),
        };
        Ok(Self {
            db: Db::of(Role::Replica, pool, runtime)?,
            max_lag: TimeDelta::from_std(config.max_lag).unwrap_or(TimeDelta::MAX),
            observer: config.observer,
            seen: Arc::new(Mutex::new(Seen {
                standing: Standing::Away("it has not been looked at yet"),
                primary: None,
                left_alone_until: None,
            })),
        })
    }

    /// How it stands, as it was last seen.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.seen.lock().standing
    }

    /// Reads something of a restaurant, all of it from one moment, if this moment contains
    /// everything up to each of `least`. `operation` names the read in metrics.
    ///
    /// # Errors
    /// Those of `read` that another server would not answer otherwise. What is not found here may
    /// be at the primary: that is [`NearBy::Behind`].
    pub async fn read<T>(
        &self,
        operation: &'static str,
        restaurant: RestaurantId,
        least: &[Position],
        read: impl AsyncFn(&mut AsyncPgConnection) -> Result<T>,
    ) -> Result<NearBy<T>> {
        let started = Instant::now();
        let primary = {
            let seen = self.seen.lock();
            match (seen.standing, &seen.primary) {
                (Standing::Fresh(_), Some(primary)) => primary.clone(),
                (Standing::Behind(_), _) => return Ok(NearBy::Behind),
                (Standing::Away(_) | Standing::Fresh(_), _) => return Ok(NearBy::Away),
            }
        };
        let reading = async |conn: &mut AsyncPgConnection| {
            let moment = moment(conn, Some(restaurant)).await?;
            match judge(
                moment.as_ref(),
                &primary.identity,
                primary.now(),
                self.max_lag,
            ) {
                Standing::Fresh(_) if !contains(moment.as_ref(), least) => Ok(NearBy::Behind),
                Standing::Fresh(_) => read(conn).await.map(NearBy::Read),
                Standing::Behind(_) => Ok(NearBy::Behind),
                Standing::Away(why) => {
                    self.leave_alone(why);
                    Ok(NearBy::Away)
                }
            }
        };
        let reading = serving(restaurant, self.db.snapshot(operation, reading));
        match timeout(PATIENCE, reading).await {
            Ok(Ok(answer)) => {
                if matches!(answer, NearBy::Read(_)) {
                    self.observer.operation(operation, started.elapsed(), true);
                }
                Ok(answer)
            }
            // That the restaurant has all that it may have of this server says nothing of the server.
            Ok(Err(Error::NotFound(_) | Error::Crowded(_))) => Ok(NearBy::Behind),
            Ok(Err(error)) if error.is_answer() => Err(error),
            // What the primary has removed is removed here too, however long somebody reads it.
            Ok(Err(error)) if error.to_string().contains("conflict with recovery") => {
                Ok(NearBy::Behind)
            }
            Ok(Err(error)) => {
                tracing::debug!(operation, %error, "the replica did not answer");
                self.leave_alone("it does not answer");
                Ok(NearBy::Away)
            }
            Err(_) => {
                self.leave_alone("it does not answer in time");
                Ok(NearBy::Away)
            }
        }
    }

    /// Renews the primary's heartbeat if nobody else has, and looks how the replica stands. To be
    /// called every second.
    pub async fn watch(&self, primary: &Db) {
        let asked = Instant::now();
        let beaten = primary.transaction("replica.beat", async move |conn, _| beat(conn).await);
        match beaten.await {
            Ok((identity, time)) => {
                self.seen.lock().primary = Some(Primary {
                    identity: identity.into(),
                    time,
                    asked,
                });
            }
            // Its clock goes on without us; if nobody reaches it, the heartbeat ages by itself.
            Err(error) => tracing::debug!(%error, "the primary's heartbeat was not renewed"),
        }
        let primary = {
            let seen = self.seen.lock();
            if seen.left_alone_until.is_some_and(|until| until > asked) {
                return;
            }
            match &seen.primary {
                Some(primary) => primary.clone(),
                None => return,
            }
        };
        let reading = self
            .db
            .read("replica.watch", async move |conn| moment(conn, None).await);
        let standing = match timeout(PATIENCE, reading).await {
            Ok(Ok(moment)) => judge(
                moment.as_ref(),
                &primary.identity,
                primary.now(),
                self.max_lag,
            ),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the replica did not answer");
                Standing::Away("it does not answer")
            }
            Err(_) => Standing::Away("it does not answer in time"),
        };
        self.stand(standing, None);
    }

    fn leave_alone(&self, why: &'static str) {
        self.stand(Standing::Away(why), Some(Instant::now() + LEFT_ALONE));
    }

    fn stand(&self, standing: Standing, left_alone_until: Option<Instant>) {
        let before = {
            let mut seen = self.seen.lock();
            seen.left_alone_until = left_alone_until;
            std::mem::replace(&mut seen.standing, standing)
        };
        // Once for each change, not every second.
        match (before, standing) {
            (Standing::Fresh(_), Standing::Fresh(_))
            | (Standing::Behind(_), Standing::Behind(_)) => {}
            (before, standing) if before == standing => {}
            (_, Standing::Fresh(lag)) => {
                tracing::info!(lag_ms = lag.as_millis(), "the replica is read from");
            }
            (_, Standing::Behind(lag)) => {
                tracing::warn!(lag_ms = lag.as_millis(), "the replica is too far behind");
            }
            (_, Standing::Away(why)) => tracing::warn!(why, "the replica is not read from"),
        }
    }
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica")
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

/// Renews the heartbeat, unless another worker has just done so. Returns whose it is, and the
/// primary's time.
async fn beat(conn: &mut AsyncPgConnection) -> Result<(String, DateTime<Utc>)> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql_types::Text)]
        identity: String,
        #[diesel(sql_type = sql_types::Timestamptz)]
        time: DateTime<Utc>,
    }
    // Not only an old one: one from the future was left by a clock that has been set back.
    diesel::sql_query(
        "INSERT INTO primary_beat AS last (beaten_at) VALUES (clock_timestamp()) \
         ON CONFLICT (singleton) DO UPDATE SET beaten_at = excluded.beaten_at \
         WHERE last.beaten_at NOT BETWEEN excluded.beaten_at - interval '500 milliseconds' \
         AND excluded.beaten_at",
    )
    .execute(conn)
    .await?;
    let row: Row =
        diesel::sql_query("SELECT identity, clock_timestamp() AS time FROM database_identity")
            .get_result(conn)
            .await?;
    Ok((row.identity, row.time))
}

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

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::timeout;
use wire::{Epoch, Position, RestaurantId, Seq};

use super::connect::Server;
use super::pool::{Db, DbConfig, Observer};
use crate::clock::Clock;
use crate::schema::{database_identity, log_heads, primary_beat};
use crate::{Error, Result};

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
    /// It does not have yet what the caller must not miss, or is too old altogether.
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
            wait: WAIT,
            clock: Clock::system(),
            // What fails here is no failure of an operation: the primary answers.
            observer: Arc::new(()),
        };
        Ok(Self {
            db: Db::of(Server::Replica, pool, runtime)?,
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
        let reading = self.db.snapshot(operation, async |conn| {
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
        });
        match timeout(PATIENCE, reading).await {
            Ok(Ok(answer)) => {
                if matches!(answer, NearBy::Read(_)) {
                    self.observer.operation(operation, started.elapsed(), true);
                }
                Ok(answer)
            }
            Ok(Err(Error::NotFound(_))) => Ok(NearBy::Behind),
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

/// What a moment of a server says of itself.
#[derive(Clone, Debug, Queryable)]
struct Moment {
    is_following: bool,
    identity: String,
    beaten_at: DateTime<Utc>,
    epoch: Option<Epoch>,
    last_seq: Option<Seq>,
}

diesel::define_sql_function! {
    /// Whether the server follows another.
    fn pg_is_in_recovery() -> sql_types::Bool;
}

/// What the moment in which `conn` reads says of itself, with the head of a restaurant's log;
/// `None` before the first heartbeat.
async fn moment(
    conn: &mut AsyncPgConnection,
    restaurant: Option<RestaurantId>,
) -> Result<Option<Moment>> {
    let is_the_restaurants = log_heads::restaurant_id.nullable().eq(restaurant);
    let moment = database_identity::table
        .inner_join(primary_beat::table.on(primary_beat::singleton))
        .left_join(log_heads::table.on(is_the_restaurants))
        .select((
            pg_is_in_recovery(),
            database_identity::identity,
            primary_beat::beaten_at,
            log_heads::epoch.nullable(),
            log_heads::last_seq.nullable(),
        ))
        .first::<Moment>(conn)
        .await
        .optional()?;
    Ok(moment)
}

/// What is to be thought of a server that says this of itself, when the primary is `identity` and
/// its clock says `now`.
fn judge(
    moment: Option<&Moment>,
    identity: &str,
    now: DateTime<Utc>,
    max_lag: TimeDelta,
) -> Standing {
    match moment {
        None => Standing::Away("it has no heartbeat of the primary"),
        Some(moment) if !moment.is_following => Standing::Away("it follows nobody"),
        Some(moment) if moment.identity != identity => Standing::Away("it follows another primary"),
        Some(moment) => {
            let lag = now.signed_duration_since(moment.beaten_at);
            let shown = lag.to_std().unwrap_or_default();
            // From the future: the primary's clock was set back, so this says nothing.
            if lag > max_lag || lag < -max_lag {
                Standing::Behind(shown)
            } else {
                Standing::Fresh(shown)
            }
        }
    }
}

/// Whether a moment contains everything up to each of these positions. Of another life of the log
/// nothing is known.
fn contains(moment: Option<&Moment>, least: &[Position]) -> bool {
    let head = moment.and_then(|moment| moment.epoch.zip(moment.last_seq));
    head.is_some_and(|(epoch, last_seq)| {
        least
            .iter()
            .all(|least| least.epoch == epoch && least.seq <= last_seq)
    })
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const EPOCH: Epoch = Epoch(Uuid::from_u128(7));

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    fn moment() -> Moment {
        Moment {
            is_following: true,
            identity: "ours".to_owned(),
            beaten_at: at(0),
            epoch: Some(EPOCH),
            last_seq: Some(10),
        }
    }

    #[test]
    fn only_a_young_copy_of_our_own_is_read() {
        let judged =
            |moment: &Moment, now| judge(Some(moment), "ours", at(now), TimeDelta::seconds(10));
        let secs = Duration::from_secs;
        assert_eq!(judged(&moment(), 10), Standing::Fresh(secs(10)));
        assert_eq!(judged(&moment(), 11), Standing::Behind(secs(11)));
        // The clocks of two machines may differ a little, and one may have been set back a lot.
        assert_eq!(judged(&moment(), -1), Standing::Fresh(secs(0)));
        assert_eq!(judged(&moment(), -11), Standing::Behind(secs(0)));
        let promoted = Moment {
            is_following: false,
            ..moment()
        };
        assert!(matches!(judged(&promoted, 0), Standing::Away(_)));
        let another = Moment {
            identity: "another".to_owned(),
            ..moment()
        };
        assert!(matches!(judged(&another, 0), Standing::Away(_)));
        let nothing = judge(None, "ours", at(0), TimeDelta::seconds(10));
        assert!(matches!(nothing, Standing::Away(_)));
    }

    #[test]
    fn what_must_not_be_missed() {
        let position = |epoch, seq| Position { epoch, seq };
        let other = Epoch(Uuid::from_u128(8));
        for (least, expected) in [
            (vec![], true),
            (vec![position(EPOCH, 10)], true),
            (vec![position(EPOCH, 11)], false),
            (vec![position(EPOCH, 1), position(EPOCH, 11)], false),
            (vec![position(other, 1)], false),
        ] {
            assert_eq!(contains(Some(&moment()), &least), expected, "{least:?}");
        }
        // A restaurant that was founded a moment ago.
        let unknown = Moment {
            epoch: None,
            last_seq: None,
            ..moment()
        };
        assert!(!contains(Some(&unknown), &[]));
    }
}

//! The one place that opens write transactions: retries, the append to the log, and the question
//! after a COMMIT whose reply was lost.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl, TransactionManager};
use wire::live::events::EventKind;
use wire::{Epoch, Position, RestaurantId, Seq};

use super::bulkhead::{Place, Purpose};
use super::lease::{Lease, answered, is_dead, is_silent};
use super::pool::{Db, Manager};
use super::tx::{Scope, Tx};
use crate::log::OwnFrames;
use crate::schema::{events, log_heads};
use crate::{Error, Result, audit, log};

/// How often a transaction that PostgreSQL chose as a victim is tried.
const TRIES: u32 = 5;

/// How long the outcome of a commit is asked for before the caller is told that it is unknown:
/// longer than a server takes to notice that a client whose COMMIT it is working on has gone
/// (`client_connection_check_interval`), since until then the outcome is open.
const OUTCOME_PATIENCE: Duration = Duration::from_secs(10);

/// What was committed.
#[derive(Debug)]
pub struct Committed<T> {
    /// What the operation returned.
    pub value: T,
    /// What was appended to the log; `None` when nothing changed.
    pub appended: Option<Appended>,
}

impl<T> Committed<T> {
    /// The position of the log after it; `None` when nothing changed.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.appended.as_ref().map(Appended::position)
    }
}

/// The events of one transaction, as the log has them.
#[derive(Clone, Debug)]
pub struct Appended {
    /// In whose log.
    pub restaurant_id: RestaurantId,
    /// The life of the log.
    pub epoch: Epoch,
    /// The events, with consecutive numbers.
    pub events: Vec<AppendedEvent>,
    /// When the transaction began.
    pub at: DateTime<Utc>,
}

/// An event, as the log has it.
#[derive(Clone, Debug)]
pub struct AppendedEvent {
    /// Its number.
    pub seq: Seq,
    /// What happened.
    pub kind: EventKind,
    /// The bytes for staff.
    pub frame: String,
    /// The bytes for everybody.
    pub public_frame: Option<String>,
    /// The bytes for those who follow things by themselves.
    pub own: Option<OwnFrames>,
}

impl Appended {
    /// The position after the last event.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.events.last().map_or(0, |event| event.seq),
        }
    }
}

/// What the end of a transaction needs: the value and, when events were appended, by what its
/// outcome can be asked for.
pub(super) struct Finished<T> {
    pub(super) value: T,
    pub(super) trace: Option<Trace>,
}

/// By what the outcome of a transaction can be asked for: its last event, which is in the log if
/// and only if the transaction was committed.
///
/// Not by PostgreSQL's number of the transaction: after a crash, a number that had left no trace on
/// the disk is given to another transaction, and `pg_xact_status` then tells of that one.
pub(super) struct Trace {
    restaurant_id: RestaurantId,
    position: Position,
    frame: String,
}

impl Trace {
    pub(super) fn of(appended: &Appended) -> Option<Self> {
        Some(Self {
            restaurant_id: appended.restaurant_id,
            position: appended.position(),
            frame: appended.events.last()?.frame.clone(),
        })
    }
}

/// What runs between BEGIN and COMMIT. A trait rather than a closure around the caller's, so that
/// the future is `Send` where the caller's is.
pub(super) trait Body {
    type Value;

    async fn run(
        &self,
        conn: &mut AsyncPgConnection,
        now: DateTime<Utc>,
    ) -> Result<Finished<Self::Value>>;
}

/// Operations of one restaurant, and the append of their events.
struct Logged<F> {
    scope: Scope,
    body: F,
}

impl<T, F: AsyncFn(&mut Tx<'_>) -> Result<T>> Body for Logged<F> {
    type Value = Committed<T>;

    async fn run(
        &self,
        conn: &mut AsyncPgConnection,
        now: DateTime<Utc>,
    ) -> Result<Finished<Committed<T>>> {
        let mut tx = Tx::new(conn, self.scope, now);
        let value = (self.body)(&mut tx).await?;
        let (_, appended) = append(tx).await?;
        Ok(Finished {
            trace: appended.as_ref().and_then(Trace::of),
            value: Committed { value, appended },
        })
    }
}

/// Appends what the operations told to the log and the audit, as the last thing that locks.
pub(super) async fn append(tx: Tx<'_>) -> Result<(&mut AsyncPgConnection, Option<Appended>)> {
    let now = tx.now;
    let (conn, scope, told) = tx.into_told();
    let (changes, entries) = told.into_parts();
    let mut appended = None;
    if !changes.is_empty() {
        appended = Some(log::append(conn, &scope, changes, now).await?);
    }
    if !entries.is_empty() {
        audit::record(conn, &scope, entries, now).await?;
    }
    Ok((conn, appended))
}

/// Statements that no log tells of.
struct Untold<F> {
    body: F,
}

impl<T, F: AsyncFn(&mut AsyncPgConnection, DateTime<Utc>) -> Result<T>> Body for Untold<F> {
    type Value = T;

    async fn run(&self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<Finished<T>> {
        Ok(Finished {
            value: (self.body)(conn, now).await?,
            trace: None,
        })
    }
}

impl Db {
    /// Runs operations in one write transaction of one restaurant and appends their events.
    ///
    /// `body` is run again from its start when PostgreSQL rolled the transaction back to resolve a
    /// conflict, or the connection was lost before COMMIT was sent. `operation` names the write in
    /// metrics.
    ///
    /// # Errors
    /// Those of `body`; [`Error::Crowded`] when too many writes of the restaurant are under way;
    /// [`Error::Unavailable`] when the database is away, when the time limits of a connection ran
    /// out, or when the outcome of the commit could not be learned.
    pub async fn write<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        body: impl AsyncFn(&mut Tx<'_>) -> Result<T>,
    ) -> Result<Committed<T>> {
        let purpose = Purpose::Write(scope.restaurant_id);
        let scope = *scope;
        self.run(operation, purpose, &Logged { scope, body }).await
    }

    /// Runs a transaction that no restaurant's log tells of: logins, tokens, registration.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn transaction<T>(
        &self,
        operation: &'static str,
        body: impl AsyncFn(&mut AsyncPgConnection, DateTime<Utc>) -> Result<T>,
    ) -> Result<T> {
        self.run(operation, Purpose::Untold, &Untold { body }).await
    }

    pub(super) async fn run<B: Body>(
        &self,
        operation: &'static str,
        purpose: Purpose,
        body: &B,
    ) -> Result<B::Value> {
        let started = Instant::now();
        let result = match self.enter(purpose).await {
            Ok(place) => self.run_at(&place, operation, body).await,
            Err(error) => Err(error),
        };
        self.observe(operation, started, &result);
        result
    }

    async fn run_at<B: Body>(
        &self,
        place: &Place,
        operation: &'static str,
        body: &B,
    ) -> Result<B::Value> {
        let (mut tries, mut dead) = (1, 0);
        loop {
            let result = match self.lease(place).await {
                Ok(mut lease) => self.attempt(&mut lease, body).await,
                Err(error) => return Err(error),
            };
            match result {
                Err(error) if error.is_retryable() && tries < TRIES => {
                    tracing::debug!(operation, tries, %error, "trying the transaction again");
                    pause(tries).await;
                    tries += 1;
                }
                Ok(Outcome::Committed(value)) => return Ok(value),
                Ok(Outcome::Unknown { value, trace }) => {
                    return self.learn_outcome(place, &trace).await.map(|()| value);
                }
                result if self.is_worth_another(&result, &mut dead) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn attempt<B: Body>(&self, lease: &mut Lease, body: &B) -> Result<Outcome<B::Value>> {
        let finished = match answered(self.run_once(lease, body)).await {
            Ok(finished) => finished,
            // What is silent is closed, which undoes everything too.
            Err(error) if is_silent(&error) => return Err(error),
            Err(error) => {
                let rolled_back = answered(rolled_back(lease)).await;
                let result = Err(error);
                if rolled_back.is_ok() {
                    lease.keep_unless_spent(&result);
                }
                return result;
            }
        };
        let committed = answered(committed(lease)).await;
        match (committed, finished.trace) {
            (Ok(()), _) => {
                lease.keep_unless_spent(&Ok(()));
                Ok(Outcome::Committed(finished.value))
            }
            // COMMIT was sent, so the transaction must not be run again whatever happened.
            (Err(error), Some(trace)) if is_dead(&error) || is_silent(&error) => {
                tracing::warn!(%error, position = %trace.position, "the reply to COMMIT was lost");
                Ok(Outcome::Unknown {
                    value: finished.value,
                    trace,
                })
            }
            (Err(error), None) if is_dead(&error) || is_silent(&error) => {
                Err(Error::OutcomeUnknown)
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn run_once<B: Body>(&self, lease: &mut Lease, body: &B) -> Result<Finished<B::Value>> {
        let now = self.clock.now();
        let conn = lease.connection()?;
        Manager::begin_transaction_sql(conn, "BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        body.run(conn, now).await
    }

    /// Asks another connection what became of a transaction.
    async fn learn_outcome(&self, place: &Place, trace: &Trace) -> Result<()> {
        let started = Instant::now();
        let mut tries = 0;
        while started.elapsed() < OUTCOME_PATIENCE {
            tries += 1;
            let fate = match self.lease(place).await {
                Ok(mut lease) => {
                    let fate = answered(fate_of(&mut lease, trace)).await;
                    lease.keep_unless_spent(&fate);
                    fate
                }
                Err(error) => Err(error),
            };
            match fate {
                Ok(Fate::Committed) => return Ok(()),
                Ok(Fate::RolledBack) => {
                    return Err(Error::Unavailable(
                        "the transaction was rolled back".to_owned(),
                    ));
                }
                Ok(Fate::Unknowable) => break,
                // Still in progress, or the database is still away.
                Err(_) => pause(tries.min(TRIES)).await,
            }
        }
        Err(Error::OutcomeUnknown)
    }
}

async fn rolled_back(lease: &mut Lease) -> Result<()> {
    Ok(<Manager as TransactionManager<_>>::rollback_transaction(lease.connection()?).await?)
}

async fn committed(lease: &mut Lease) -> Result<()> {
    Ok(<Manager as TransactionManager<_>>::commit_transaction(lease.connection()?).await?)
}

/// What became of a transaction.
enum Fate {
    Committed,
    RolledBack,
    /// The log has another life now: after a failover or a restore, what it has under these
    /// numbers is not what was written.
    Unknowable,
}

/// Looks for the transaction's last event. The lock on the head waits for the transaction itself,
/// which holds it until its end, even if COMMIT has not reached the server yet.
async fn fate_of(lease: &mut Lease, trace: &Trace) -> Result<Fate> {
    let conn = lease.connection()?;
    Manager::begin_transaction_sql(conn, "BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let fate = look_for(conn, trace).await;
    let ended = <Manager as TransactionManager<_>>::rollback_transaction(conn).await;
    let fate = fate?;
    ended?;
    Ok(fate)
}

async fn look_for(conn: &mut AsyncPgConnection, trace: &Trace) -> Result<Fate> {
    let epoch = log_heads::table
        .filter(log_heads::restaurant_id.eq(trace.restaurant_id))
        .select(log_heads::epoch)
        .for_update()
        .first::<Epoch>(conn)
        .await
        .optional()?;
    if epoch != Some(trace.position.epoch) {
        return Ok(Fate::Unknowable);
    }
    let frame = events::table
        .filter(events::restaurant_id.eq(trace.restaurant_id))
        .filter(events::seq.eq(trace.position.seq))
        .select(events::frame)
        .first::<String>(conn)
        .await
        .optional()?;
    Ok(if frame.as_ref() == Some(&trace.frame) {
        Fate::Committed
    } else {
        Fate::RolledBack
    })
}

/// What came of COMMIT.
enum Outcome<T> {
    Committed(T),
    /// The reply was lost.
    Unknown {
        value: T,
        trace: Trace,
    },
}

/// Waits a little, longer with every try, and not all at the same pace.
async fn pause(tries: u32) {
    let most = 4_u64 << tries.min(8);
    tokio::time::sleep(Duration::from_millis(rand::random_range(1..=most))).await;
}

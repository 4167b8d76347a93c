//! What every handler shares. A plain struct, no globals: several workers live in one test process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use domain::db::{Db, Scope, Tx};
use domain::identity::passwords::Passwords;
use realtime::{Commit, Event, Hub};

use crate::config::Config;
use crate::errors::ApiError;
use crate::metrics::Metrics;
use crate::reply::Saved;
use crate::snapshots::Snapshots;
use crate::standings::Standings;
use crate::tokens::Tokens;

/// One worker.
pub struct AppState {
    /// What it was told from outside.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The rooms.
    pub hub: Hub,
    /// Access tokens.
    pub tokens: Tokens,
    /// Passwords.
    pub passwords: Passwords,
    /// What devices may do.
    pub standings: Standings,
    /// The floor as a whole.
    pub snapshots: Snapshots,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// When it started.
    pub started: Instant,
    /// Whether the schema is the one that this program needs.
    pub schema_ready: AtomicBool,
    /// Whether it is going away.
    pub draining: AtomicBool,
}

impl AppState {
    /// Reads from the database.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn read<T>(
        &self,
        operation: &'static str,
        read: impl AsyncFn(&mut domain::db::PgConnection) -> domain::Result<T>,
    ) -> Result<T, ApiError> {
        Ok(self.db.read(operation, read).await?)
    }

    /// Runs operations in one write transaction; after the commit the worker's own sessions are
    /// served and the other workers told, without waiting for either.
    ///
    /// # Errors
    /// Those of `body`.
    pub async fn write<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        body: impl AsyncFn(&mut Tx<'_>) -> domain::Result<T>,
    ) -> Result<Saved<T>, ApiError> {
        let committed = self.db.write(operation, scope, body).await?;
        let position = committed.appended.map(|appended| {
            let position = appended.position();
            for event in &appended.events {
                self.metrics.events_committed(event.kind, 1);
            }
            self.hub.committed(commit(appended));
            position
        });
        Ok(Saved::new(committed.value, position))
    }

    /// Whether this worker is going away.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether the schema is the one that this program needs.
    #[must_use]
    pub fn is_schema_ready(&self) -> bool {
        self.schema_ready.load(Ordering::Relaxed)
    }
}

/// What the hub is told of a transaction.
fn commit(appended: domain::db::Appended) -> Commit {
    Commit {
        restaurant_id: appended.restaurant_id,
        epoch: appended.epoch,
        committed_at_ms: unix_ms(),
        events: appended
            .events
            .into_iter()
            .map(|event| Event {
                seq: event.seq,
                kind: event.kind,
                frame: event.frame.into(),
                public_frame: event.public_frame.map(Into::into),
            })
            .collect(),
    }
}

/// Milliseconds since 1970 by the machine's clock, for measuring how long frames travel.
#[must_use]
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

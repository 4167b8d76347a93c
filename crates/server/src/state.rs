//! What every handler shares. A plain struct, no globals: several workers live in one test process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use actix_web::HttpResponse;
use domain::db::{Answer, Appended, Committed, Db, Scope, Tx};
use domain::passwords::Passwords;
use domain::remembered;
use realtime::{Commit, Event, Hub, Traced};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use crate::access::standings::Standings;
use crate::access::tokens::Tokens;
use crate::config::Config;
use crate::live;
use crate::live::places::Places;
use crate::platform::commits::OnCommit;
use crate::platform::errors::ApiError;
use crate::platform::idempotency;
use crate::platform::idempotency::Kept;
use crate::platform::limits::Limits;
use crate::platform::reads::Reads;
use crate::platform::reply::Saved;
use crate::rooms::Rooms;
use crate::seen::metrics::Metrics;
use crate::seen::traces;
use crate::snapshots::Snapshots;

/// One worker.
pub struct AppState {
    /// What it was told from outside.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The database or a copy of it, for reads that may be a little old.
    pub reads: Reads,
    /// The rooms.
    pub hub: Hub,
    /// Access tokens.
    pub tokens: Tokens,
    /// Passwords.
    pub passwords: Passwords,
    /// What devices may do.
    pub standings: Standings,
    /// How much anybody may ask for.
    pub limits: Limits,
    /// The floor as a whole.
    pub snapshots: Snapshots,
    /// What rooms keep.
    pub rooms: Rooms,
    /// Who is to know of what is committed, beside the hub.
    pub listeners: Vec<Arc<dyn OnCommit>>,
    /// Places for sockets and streams.
    pub places: Places,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The sockets and streams that are open, until they have said goodbye.
    pub sessions: TaskTracker,
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
        let span = transaction(operation);
        Ok(self.db.read(operation, read).instrument(span).await?)
    }

    /// Runs operations in one write transaction; after the commit the worker's own sessions are
    /// served and the other workers told, without waiting for either.
    ///
    /// # Errors
    /// Those of `body`. A fault when the request has an `Idempotency-Key`: what answers a POST
    /// or PATCH is to use [`AppState::post`].
    pub async fn write<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        body: impl AsyncFn(&mut Tx<'_>) -> domain::Result<T>,
    ) -> Result<Saved<T>, ApiError> {
        if scope.once.is_some() {
            let fault = anyhow::anyhow!("{operation} would not keep its answer");
            return Err(ApiError::internal(fault));
        }
        Ok(self.commit(operation, scope, body).await?)
    }

    /// The same for work that nobody asked for.
    ///
    /// # Errors
    /// Those of `body`.
    pub async fn commit<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        body: impl AsyncFn(&mut Tx<'_>) -> domain::Result<T>,
    ) -> domain::Result<Saved<T>> {
        // Boxed here once, because operations on bookings reach through all of the floor and their
        // futures would be moved around in kilobytes.
        let writing = Box::pin(self.db.write(operation, scope, body));
        let span = transaction(operation);
        let committed = writing.instrument(span.clone()).await?;
        let position = committed.position();
        self.publish(committed.appended, &span);
        Ok(Saved::new(committed.value, position))
    }

    /// The same for what answers a POST or PATCH. Under an `Idempotency-Key` the answer is kept in the
    /// transaction, and a request that was answered before is not done again.
    ///
    /// # Errors
    /// Those of `body`; 409 while another worker answers the same request, 422 for another one
    /// under its key.
    pub async fn post<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        body: impl AsyncFn(&mut Tx<'_>) -> domain::Result<T>,
        answer: impl Fn(&Saved<T>) -> HttpResponse,
    ) -> Result<HttpResponse, ApiError> {
        self.post_keeping(operation, scope, body, |saved| {
            let kept = Kept::of(answer(saved))?;
            Ok((serde_json::to_string(&kept)?, kept))
        })
        .await
    }

    /// The same for an answer with a secret in it, which is shown once: `kept` is kept in its place,
    /// and says so.
    ///
    /// # Errors
    /// As [`AppState::post`].
    pub async fn post_once_shown<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        body: impl AsyncFn(&mut Tx<'_>) -> domain::Result<T>,
        answer: impl Fn(&T) -> HttpResponse,
        kept: impl Fn(&T) -> HttpResponse,
    ) -> Result<HttpResponse, ApiError> {
        self.post_keeping(operation, scope, body, |saved| {
            let text = serde_json::to_string(&Kept::of(kept(&saved.value))?)?;
            Ok((text, Kept::of(answer(&saved.value))?))
        })
        .await
    }

    /// `answer` makes what is kept and what is answered.
    async fn post_keeping<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        body: impl AsyncFn(&mut Tx<'_>) -> domain::Result<T>,
        answer: impl Fn(&Saved<T>) -> domain::Result<(String, Kept)>,
    ) -> Result<HttpResponse, ApiError> {
        let Some(once) = scope.once else {
            let saved = self.write(operation, scope, body).await?;
            return answer(&saved)?.1.response();
        };
        let answer = |committed: Committed<T>| {
            let position = committed.position();
            let (text, value) = answer(&Saved::new(committed.value, position))?;
            let committed = Committed {
                value,
                appended: committed.appended,
            };
            Ok((committed, text))
        };
        let writing = self.db.write_once(operation, scope, once, body, answer);
        let span = transaction(operation);
        let committed = Box::pin(writing).instrument(span.clone()).await?;
        self.publish(committed.appended, &span);
        match committed.value {
            Answer::New(kept) => kept.response(),
            Answer::Kept(text) => idempotency::replay(&text),
        }
    }

    /// What a request was answered before, for handlers that need several transactions; the last
    /// of them is [`AppState::post`].
    ///
    /// # Errors
    /// 422 for another request under its key.
    pub async fn answered(&self, scope: &Scope) -> Result<Option<HttpResponse>, ApiError> {
        let (Some(once), restaurant) = (scope.once, scope.restaurant_id) else {
            return Ok(None);
        };
        let kept = self
            .read("answers.get", async move |conn| {
                remembered::answer_of(conn, restaurant, &once).await
            })
            .await?;
        kept.map(|kept| idempotency::replay(&kept)).transpose()
    }

    /// Tells everybody of what was committed in the transaction of this span.
    fn publish(&self, appended: Option<Appended>, span: &Span) {
        let Some(appended) = appended else {
            return;
        };
        for listener in &self.listeners {
            listener.committed(&appended);
        }
        // Last, because the frames go on with it.
        let traced = traces::publish(span);
        self.hub.committed(commit(appended, traced));
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

/// The part of a trace that is spent with the database.
pub(crate) fn transaction(operation: &'static str) -> Span {
    tracing::trace_span!(
        target: traces::TARGET, "transaction",
        otel.name = operation, otel.kind = "client", db.system.name = "postgresql",
    )
}

/// What the hub is told of a transaction.
fn commit(appended: Appended, traced: Option<Box<Traced>>) -> Commit {
    Commit {
        traced,
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
                own: event.own.map(live::log::own),
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

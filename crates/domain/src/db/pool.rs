//! The pool of connections, and reading.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Status;
use deadpool::managed::{Object, PoolError, Timeouts};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};
use futures_util::FutureExt;
use tls::PostgresServer;
use tokio::runtime::Handle;

use super::connect::Role;
use super::pools::{Home, PgPool, Pools};
use crate::clock::Clock;
use crate::{Error, Result};

/// What is told about every use of the database, for metrics.
pub trait Observer: Send + Sync {
    /// An operation ended after `elapsed`, the wait for a connection included.
    fn operation(&self, name: &'static str, elapsed: Duration, is_ok: bool);
}

impl Observer for () {
    fn operation(&self, _: &'static str, _: Duration, _: bool) {}
}

/// Where the database is and how it is used.
pub struct DbConfig {
    /// `postgres://…`, as [`PostgresServer::parse`] reads it.
    pub url: String,
    /// Connections at most.
    pub pool_size: usize,
    /// How many threads will [settle](Db::settle).
    pub threads: usize,
    /// How long to wait for a connection before saying that the database is away.
    pub wait: Duration,
    /// Where the time comes from.
    pub clock: Clock,
    /// Who is told of every operation.
    pub observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for DbConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the URL: it carries a password.
        f.debug_struct("DbConfig")
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

/// How the pool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that are open.
    pub open: usize,
    /// Of these, the ones nobody uses.
    pub idle: usize,
    /// Callers who wait for one.
    pub waiting: usize,
    /// Connections at most.
    pub limit: usize,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
    pub(super) clock: Clock,
    pub(super) observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("pool", &self.state())
            .finish_non_exhaustive()
    }
}

/// A pool of connections to `server`, whose drivers run on `runtime`.
fn pool(
    url: &str,
    server: PostgresServer,
    role: Role,
    size: usize,
    wait: Duration,
    runtime: Handle,
) -> Result<PgPool> {
    let mut manager = ManagerConfig::<AsyncPgConnection>::default();
    // A test query before each use would double the cost of a read; a connection that died
    // says so at its first statement, and is then replaced.
    manager.recycling_method = RecyclingMethod::Fast;
    // The address has been read, and what it says of TLS the library would not understand.
    manager.custom_setup = Box::new(move |_| {
        let (runtime, server) = (runtime.clone(), server.clone());
        async move { super::connect::open(&runtime, server, role).await }.boxed()
    });
    Pool::builder(AsyncDieselConnectionManager::new_with_config(url, manager))
        .max_size(size)
        .timeouts(Timeouts {
            wait: Some(wait),
            create: Some(wait),
            recycle: Some(wait),
        })
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| Error::Internal(format!("pool: {error}")))
}

/// A connection of the pool.
pub(super) type Connection = Object<AsyncDieselConnectionManager<AsyncPgConnection>>;

impl Db {
    /// Makes the pool; no connection is opened yet. The drivers of its connections run on
    /// `runtime`, which must outlive all use.
    ///
    /// # Errors
    /// When the address will not do, or the pool cannot be built.
    pub fn new(config: DbConfig, runtime: Handle) -> Result<Self> {
        Self::of(Role::Primary, config, runtime)
    }

    /// The same for a server in either role.
    pub(super) fn of(role: Role, config: DbConfig, runtime: Handle) -> Result<Self> {
        let server = PostgresServer::parse(&config.url)
            .map_err(|error| Error::Internal(format!("the database's address {error}")))?;
        let (url, wait) = (config.url, config.wait);
        let make = move |size, runtime| pool(&url, server.clone(), role, size, wait, runtime);
        let pools = Pools::new(config.pool_size, config.threads, runtime, Box::new(make))?;
        Ok(Self {
            pools: Arc::new(pools),
            clock: config.clock,
            observer: config.observer,
        })
    }

    /// Gives the current thread, which has a runtime of its own, connections of its own: for as
    /// long as the answer is held, what runs on it uses those. `None` when there are too few.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub fn settle(&self) -> Result<Option<Arc<Home>>> {
        self.pools.settle()
    }

    /// The clock that operations go by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The same database under another clock.
    #[must_use]
    pub fn with_clock(&self, clock: Clock) -> Self {
        Self {
            clock,
            ..self.clone()
        }
    }

    /// How the pool stands.
    #[must_use]
    pub fn state(&self) -> PoolState {
        let pools = self.pools.status();
        let sum = |what: fn(&Status) -> usize| pools.iter().map(what).sum();
        PoolState {
            open: sum(|pool| pool.size),
            idle: sum(|pool| pool.available),
            waiting: sum(|pool| pool.waiting),
            limit: sum(|pool| pool.max_size),
        }
    }

    /// A connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none can be had in time.
    async fn connection(&self) -> Result<Connection> {
        self.pools.here().get().await.map_err(|error| {
            Error::Unavailable(match error {
                PoolError::Timeout(kind) => format!("no connection in time ({kind:?})"),
                error => error.to_string(),
            })
        })
    }

    /// A connection to use.
    pub(super) async fn lease(&self) -> Result<Lease> {
        Ok(Lease {
            connection: Some(self.connection().await?),
            is_done: false,
        })
    }

    /// Whether to try again with another connection: after the database was restarted, every
    /// connection in the pool is dead, and each says so only when it is used.
    pub(super) fn is_worth_another<T>(&self, result: &Result<T>, dead: &mut usize) -> bool {
        *dead += 1;
        matches!(result, Err(error) if is_dead(error))
            && *dead <= self.pools.here().status().max_size + 1
    }

    /// Reads. Each statement sees what is committed when it begins; where several must agree, use
    /// [`Db::snapshot`]. `operation` names the read in metrics.
    ///
    /// # Errors
    /// Those of `read`, and [`Error::Unavailable`].
    pub async fn read<T>(
        &self,
        operation: &'static str,
        read: impl AsyncFn(&mut AsyncPgConnection) -> Result<T>,
    ) -> Result<T> {
        self.read_in(operation, None, read).await
    }

    /// Reads in one repeatable-read transaction: every statement sees the same moment.
    ///
    /// # Errors
    /// Those of `read`, and [`Error::Unavailable`].
    pub async fn snapshot<T>(
        &self,
        operation: &'static str,
        read: impl AsyncFn(&mut AsyncPgConnection) -> Result<T>,
    ) -> Result<T> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.read_in(operation, Some(begin), read).await
    }

    // In here and in `write.rs` no async closure captures a reference: a future that contains one
    // cannot be shown to be `Send`, and background tasks need that.
    async fn read_in<T>(
        &self,
        operation: &'static str,
        begin: Option<&'static str>,
        read: impl AsyncFn(&mut AsyncPgConnection) -> Result<T>,
    ) -> Result<T> {
        let started = Instant::now();
        let mut dead = 0;
        let result = loop {
            let result = match self.lease().await {
                Ok(mut lease) => {
                    let result = answered(read_once(&mut lease, begin, &read)).await;
                    lease.keep_unless_spent(&result);
                    result
                }
                Err(error) => break Err(error),
            };
            if !self.is_worth_another(&result, &mut dead) {
                break result;
            }
        };
        self.observe(operation, started, &result);
        result
    }

    /// Tells the observer of an operation that began at `started`.
    pub(super) fn observe<T>(&self, operation: &'static str, started: Instant, result: &Result<T>) {
        let is_fault = matches!(
            result,
            Err(Error::Unavailable(_)
                | Error::OutcomeUnknown
                | Error::Database(_)
                | Error::Internal(_)
                | Error::Contended)
        );
        self.observer
            .operation(operation, started.elapsed(), !is_fault);
    }
}

async fn read_once<T>(
    lease: &mut Lease,
    begin: Option<&'static str>,
    read: &impl AsyncFn(&mut AsyncPgConnection) -> Result<T>,
) -> Result<T> {
    let connection = lease.connection()?;
    let Some(begin) = begin else {
        return read(connection).await;
    };
    Manager::begin_transaction_sql(connection, begin).await?;
    let result = read(connection).await;
    let ended = <Manager as TransactionManager<_>>::rollback_transaction(connection).await;
    let value = result?;
    ended?;
    Ok(value)
}

/// Asks for a sign of life.
///
/// # Errors
/// [`Error::Unavailable`] when there is none.
pub async fn ping(conn: &mut AsyncPgConnection) -> Result<()> {
    use diesel_async::RunQueryDsl;
    diesel::select(diesel::dsl::now).execute(conn).await?;
    Ok(())
}

/// How transactions are opened and closed, so that the driver knows of them.
pub(super) type Manager = AnsiTransactionManager;

/// A connection in use. Unless its user says that he is done with it, it is closed and not
/// returned to the pool: a request that was cancelled half way must not leave its locks, its open
/// transaction or its running statement to whoever comes next.
pub(super) struct Lease {
    connection: Option<Connection>,
    is_done: bool,
}

impl Lease {
    /// The connection.
    pub(super) fn connection(&mut self) -> Result<&mut AsyncPgConnection> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(Error::Internal("the connection was given back".to_owned())),
        }
    }

    /// The connection may go back to the pool, unless what came of its use says that it is dead or
    /// silent. (One that is still in a transaction is refused by the pool itself.)
    pub(super) fn keep_unless_spent<T>(&mut self, result: &Result<T>) {
        self.is_done = !matches!(result, Err(error) if is_dead(error) || is_silent(error));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.is_done
        {
            drop(Object::take(connection));
        }
    }
}

/// How long a connection may be used for, all statements together. The server itself ends what
/// takes too long (`connect.rs`); this is for one that says nothing any more. A lost route or a
/// machine that hangs would otherwise keep a request, and its place in the pool, for hours.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is said of a connection that was silent for so long.
const SILENCE: &str = "no answer in time";

/// What comes of a use of a connection, if anything comes.
///
/// # Errors
/// Those of `using`; [`Error::Unavailable`] after [`PATIENCE`], when the connection must be closed.
pub(super) async fn answered<T>(using: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, using)
        .await
        .unwrap_or_else(|_| Err(Error::Unavailable(SILENCE.to_owned())))
}

/// Whether an error says that the connection has not answered for too long. Another might, but the
/// caller has waited long enough.
pub(super) fn is_silent(error: &Error) -> bool {
    matches!(error, Error::Unavailable(text) if text == SILENCE)
}

/// Whether an error says that the connection is gone. Time limits are [`Error::Unavailable`] too,
/// but another connection would not help.
pub(super) fn is_dead(error: &Error) -> bool {
    matches!(
        error,
        Error::Unavailable(text) if !text.starts_with("canceling statement") && text != SILENCE
    )
}

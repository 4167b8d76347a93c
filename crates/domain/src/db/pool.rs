//! The pool of connections, and reading.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Status;
use deadpool::managed::{PoolError, Timeouts};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};
use futures_util::FutureExt;
use tls::PostgresServer;
use tokio::runtime::Handle;

use super::bulkhead::{BulkheadState, Place, Purpose};
use super::connect::Role;
use super::lease::{Connection, Lease, answered, is_dead};
use super::lookout::Lookout;
use super::pools::{Home, PgPool, Pools};
use super::serving::served;
use super::shares::Shares;
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
    /// Callers who wait for one, and not for others of their restaurant.
    pub waiting: usize,
    /// Connections at most.
    pub limit: usize,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
    lookout: Arc<Lookout>,
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

/// A look at `server`, whose driver runs on `runtime`.
fn lookout(server: PostgresServer, role: Role, runtime: Handle) -> Lookout {
    Lookout::new(Box::new(move || {
        let (runtime, server) = (runtime.clone(), server.clone());
        let opening = async move { super::connect::open(&runtime, server, role).await };
        let opening =
            opening.map(|opened| opened.map_err(|error| Error::Unavailable(error.to_string())));
        opening.boxed()
    }))
}

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
        let lookout = lookout(server.clone(), role, runtime.clone());
        let make = move |size, runtime| pool(&url, server.clone(), role, size, wait, runtime);
        let share = match role {
            Role::Primary => Shares::new,
            Role::Replica => Shares::of_reads,
        };
        let (size, threads) = (config.pool_size, config.threads);
        let pools = Pools::new(size, threads, wait, share, runtime, Box::new(make))?;
        Ok(Self {
            pools: Arc::new(pools),
            lookout: Arc::new(lookout),
            clock: config.clock,
            observer: config.observer,
        })
    }

    /// Says that the current thread, which has a runtime of its own, answers requests, and gives it
    /// connections of its own if there are enough: for as long as the answer is held, what runs on
    /// it uses those.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub fn settle(&self) -> Result<Arc<Home>> {
        self.pools.settle()
    }

    /// Looks whether the database is there, on a connection that is used for nothing else, and
    /// takes no longer than `patience`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not answer.
    pub async fn look(&self, patience: Duration) -> Result<()> {
        let started = Instant::now();
        let result = self.lookout.look(patience).await;
        self.observe("health", started, &result);
        result
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
            waiting: sum(|pool| pool.waiting) + self.waiting(),
            limit: sum(|pool| pool.max_size),
        }
    }

    fn waiting(&self) -> usize {
        let bulkheads = self.pools.bulkheads().into_iter();
        bulkheads.map(|bulkhead| bulkhead.waiting()).sum()
    }

    /// Who waits for others of the own restaurant, and who was refused.
    #[must_use]
    pub fn bulkheads(&self) -> BulkheadState {
        let [one, other] = self.pools.bulkheads().map(|bulkhead| bulkhead.state());
        BulkheadState {
            houses: one.houses + other.houses,
            writes_in_line: one.writes_in_line + other.writes_in_line,
            reads_in_line: one.reads_in_line + other.reads_in_line,
            writes_refused: one.writes_refused + other.writes_refused,
            reads_refused: one.reads_refused + other.reads_refused,
        }
    }

    /// How many writes of restaurants the caller's side may have under way: that of requests, or of
    /// whoever works in the background.
    #[must_use]
    pub fn most_writes(&self) -> usize {
        self.pools.bulkhead().most_writes()
    }

    /// A place, without which no connection is taken.
    pub(super) async fn enter(&self, purpose: Purpose) -> Result<Place> {
        self.pools.bulkhead().enter(purpose).await
    }

    /// A connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none can be had in time.
    async fn connection(&self) -> Result<Connection> {
        self.pools.get().await.map_err(|error| {
            Error::Unavailable(match error {
                PoolError::Timeout(kind) => format!("no connection in time ({kind:?})"),
                error => error.to_string(),
            })
        })
    }

    /// A connection to use, for whoever has a place.
    pub(super) async fn lease(&self, _place: &Place) -> Result<Lease> {
        Ok(Lease::new(self.connection().await?))
    }

    /// Whether to try again with another connection: after the database was restarted, every
    /// connection in the pool is dead, and each says so only when it is used.
    pub(super) fn is_worth_another<T>(&self, result: &Result<T>, dead: &mut usize) -> bool {
        *dead += 1;
        matches!(result, Err(error) if is_dead(error)) && *dead <= self.pools.most() + 1
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
        let result = match self.enter(Purpose::Read(served())).await {
            Ok(place) => self.read_at(&place, begin, &read).await,
            Err(error) => Err(error),
        };
        self.observe(operation, started, &result);
        result
    }

    async fn read_at<T>(
        &self,
        place: &Place,
        begin: Option<&'static str>,
        read: &impl AsyncFn(&mut AsyncPgConnection) -> Result<T>,
    ) -> Result<T> {
        let mut dead = 0;
        loop {
            let mut lease = self.lease(place).await?;
            let result = answered(read_once(&mut lease, begin, read)).await;
            lease.keep_unless_spent(&result);
            drop(lease);
            if !self.is_worth_another(&result, &mut dead) {
                return result;
            }
        }
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

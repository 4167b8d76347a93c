//! Connections: some for each thread that answers requests, and some for everybody else.
//!
//! A connection is served by a task of its own, which writes to the server and reads from it, on
//! the runtime where the connection was opened. On another thread than the request's it makes
//! every statement wake two threads, which costs a worker more than all the rest of a short
//! request. So a thread that answers requests has connections of its own, and takes another's only
//! when it has none left.
//!
//! Who may have how many is decided before (`bulkhead.rs`), for all threads that answer requests
//! together, and for everybody else: work in the background is not in the way of requests, nor they
//! in its.

use std::sync::{Arc, Weak};
use std::time::Duration;

use deadpool::Status;
use deadpool::managed::{PoolError, TimeoutType, Timeouts};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolError as ManagerError;
use diesel_async::pooled_connection::deadpool::Pool;
use parking_lot::RwLock;
use tokio::runtime::{Handle, Id};

use super::bulkhead::Bulkhead;
use super::lease::Connection;
use super::shares::{self, Shares};
use crate::Result;

/// A pool of connections to PostgreSQL.
pub(super) type PgPool = Pool<AsyncPgConnection>;

/// Makes a pool of so many connections, whose drivers run there.
type Make = Box<dyn Fn(usize, Handle) -> Result<PgPool> + Send + Sync>;

/// The pools of one database.
pub(super) struct Pools {
    make: Make,
    /// For whoever has no home: background work, the log's reader, commands.
    shared: PgPool,
    homes: RwLock<Vec<(Id, Weak<Home>)>>,
    /// How many connections a home has; without any, it uses those of all.
    of_home: usize,
    /// For threads that answer requests.
    requests: Bulkhead,
    /// For everybody else.
    others: Bulkhead,
}

/// The connections of one thread. While somebody holds it, what runs on that thread uses them.
pub struct Home {
    pool: PgPool,
    is_shared: bool,
}

impl Drop for Home {
    fn drop(&mut self) {
        // Their drivers end with the thread's runtime.
        if !self.is_shared {
            self.pool.close();
        }
    }
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Home").finish_non_exhaustive()
    }
}

/// Not waiting for somebody else's connection; to open one takes as long as it takes.
const AT_ONCE: Timeouts = Timeouts {
    wait: Some(Duration::ZERO),
    create: Some(OPENING),
    recycle: Some(OPENING),
};

/// How long opening a connection may take.
const OPENING: Duration = Duration::from_secs(3);

impl Pools {
    /// Pools of `connections` in all, of which `threads` will have some for themselves. Nobody
    /// waits for longer than `wait`.
    pub(super) fn new(
        connections: usize,
        threads: usize,
        wait: Duration,
        share: fn(usize) -> Shares,
        runtime: Handle,
        make: Make,
    ) -> Result<Self> {
        let (of_home, shared) = shares::of_threads(connections, threads);
        let (requests, others) = shares::of_sides(connections, threads);
        Ok(Self {
            shared: make(shared, runtime)?,
            make,
            homes: RwLock::default(),
            of_home,
            requests: Bulkhead::new(share(requests), wait),
            others: Bulkhead::new(share(others), wait),
        })
    }

    /// Says that the current thread answers requests, and gives it connections of its own, if there
    /// are enough of them.
    pub(super) fn settle(&self) -> Result<Arc<Home>> {
        let runtime = Handle::current();
        let id = runtime.id();
        let mut homes = self.homes.write();
        homes.retain(|(_, home)| home.strong_count() > 0);
        let known = homes.iter().find(|(known, _)| *known == id);
        if let Some(home) = known.and_then(|(_, home)| home.upgrade()) {
            return Ok(home);
        }
        let is_shared = self.of_home == 0;
        let pool = if is_shared {
            self.shared.clone()
        } else {
            (self.make)(self.of_home, runtime)?
        };
        let home = Arc::new(Home { pool, is_shared });
        homes.push((id, Arc::downgrade(&home)));
        Ok(home)
    }

    /// The current thread's, if it answers requests.
    fn home(&self) -> Option<Arc<Home>> {
        let id = Handle::try_current().ok()?.id();
        let homes = self.homes.read();
        let (_, home) = homes.iter().find(|(known, _)| *known == id)?;
        home.upgrade()
    }

    /// Who decides how many connections may be had here.
    pub(super) fn bulkhead(&self) -> &Bulkhead {
        match self.home() {
            Some(_) => &self.requests,
            None => &self.others,
        }
    }

    /// All of them.
    pub(super) fn bulkheads(&self) -> [&Bulkhead; 2] {
        [&self.requests, &self.others]
    }

    /// A connection: of this thread, or of another that does not use it, or the next one of this
    /// thread.
    pub(super) async fn get(&self) -> Result<Connection, PoolError<ManagerError>> {
        let Some(home) = self.home() else {
            return self.shared.get().await;
        };
        if home.is_shared {
            return home.pool.get().await;
        }
        match home.pool.timeout_get(&AT_ONCE).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {}
            result => return result,
        }
        for other in self.homes() {
            if let Ok(connection) = other.pool.timeout_get(&AT_ONCE).await {
                return Ok(connection);
            }
        }
        home.pool.get().await
    }

    fn homes(&self) -> Vec<Arc<Home>> {
        let homes = self.homes.read();
        homes
            .iter()
            .filter_map(|(_, home)| home.upgrade())
            .collect()
    }

    /// How each of them stands.
    pub(super) fn status(&self) -> Vec<Status> {
        let homes = self.homes().into_iter().filter(|home| !home.is_shared);
        homes
            .map(|home| home.pool.status())
            .chain([self.shared.status()])
            .collect()
    }

    /// How many connections there may be that have died.
    pub(super) fn most(&self) -> usize {
        self.status().iter().map(|pool| pool.max_size).sum()
    }
}

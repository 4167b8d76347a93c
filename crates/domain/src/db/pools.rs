//! Connections: some for each thread that answers requests, and some for everybody else.
//!
//! A connection is served by a task of its own, which writes to the server and reads from it, on
//! the runtime where the connection was opened. On another thread than the request's it makes
//! every statement wake two threads, which costs a worker more than all the rest of a short
//! request. So a thread that answers requests has connections of its own.

use std::sync::{Arc, Weak};

use deadpool::Status;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use parking_lot::RwLock;
use tokio::runtime::{Handle, Id};

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
    /// How many connections a home has.
    of_home: usize,
}

/// The connections of one thread. While somebody holds it, what runs on that thread uses them.
pub struct Home {
    pool: PgPool,
}

impl Drop for Home {
    fn drop(&mut self) {
        // Their drivers end with the thread's runtime.
        self.pool.close();
    }
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Home").finish_non_exhaustive()
    }
}

impl Pools {
    /// Pools of `connections` in all, of which `threads` will have some for themselves.
    pub(super) fn new(
        connections: usize,
        threads: usize,
        runtime: Handle,
        make: Make,
    ) -> Result<Self> {
        let (of_home, shared) = shares(connections, threads);
        Ok(Self {
            shared: make(shared, runtime)?,
            make,
            homes: RwLock::default(),
            of_home,
        })
    }

    /// Gives the current thread connections of its own; `None` when there are too few.
    pub(super) fn settle(&self) -> Result<Option<Arc<Home>>> {
        if self.of_home == 0 {
            return Ok(None);
        }
        let runtime = Handle::current();
        let id = runtime.id();
        let mut homes = self.homes.write();
        homes.retain(|(_, home)| home.strong_count() > 0);
        let known = homes.iter().find(|(known, _)| *known == id);
        if let Some(home) = known.and_then(|(_, home)| home.upgrade()) {
            return Ok(Some(home));
        }
        let pool = (self.make)(self.of_home, runtime)?;
        let home = Arc::new(Home { pool });
        homes.push((id, Arc::downgrade(&home)));
        Ok(Some(home))
    }

    /// The pool for what runs here.
    pub(super) fn here(&self) -> PgPool {
        if self.of_home > 0
            && let Ok(runtime) = Handle::try_current()
        {
            let id = runtime.id();
            let homes = self.homes.read();
            let home = homes.iter().find(|(known, _)| *known == id);
            if let Some(home) = home.and_then(|(_, home)| home.upgrade()) {
                return home.pool.clone();
            }
        }
        self.shared.clone()
    }

    /// How each of them stands.
    pub(super) fn status(&self) -> Vec<Status> {
        let homes = self.homes.read();
        let homes = homes.iter().filter_map(|(_, home)| home.upgrade());
        homes
            .map(|home| home.pool.status())
            .chain([self.shared.status()])
            .collect()
    }
}

/// How many connections each thread has for itself, and how many the others share: a quarter at
/// least. Where there would be less than two for a thread, all are shared.
fn shares(connections: usize, threads: usize) -> (usize, usize) {
    let of_home = (connections * 3 / 4).checked_div(threads).unwrap_or(0);
    let of_home = if of_home < 2 { 0 } else { of_home };
    (of_home, connections - of_home * threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out_and_none_is_lost() {
        assert_eq!(shares(20, 2), (7, 6));
        assert_eq!(shares(10, 2), (3, 4));
        assert_eq!(shares(10, 4), (0, 10), "one for a thread is too few");
        assert_eq!(shares(5, 2), (0, 5));
        assert_eq!(shares(1, 1), (0, 1));
        assert_eq!(shares(8, 0), (0, 8), "a command has no threads");
        for connections in 1..200 {
            for threads in 0..20 {
                let (of_home, shared) = shares(connections, threads);
                assert_eq!(of_home * threads + shared, connections);
                assert!(shared * 4 >= connections);
            }
        }
    }
}

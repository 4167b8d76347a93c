//! What devices may do, looked up at most every few seconds.
//!
//! A token proves who calls; whether that device is still logged in, and what its account may do,
//! is asked of the database and remembered for 3 s. So a lowered role or a revoked device is
//! noticed on every worker within that time, with or without Redis, and a busy tablet costs one
//! query every few seconds rather than one per request.

use std::sync::Arc;
use std::time::Duration;

use domain::db::Db;
use domain::identity::sessions::{self, Standing};
use moka::future::Cache;
use wire::SessionId;

/// How long an answer is good for; the contract allows 5 s, and asking takes a moment too.
const FRESH: Duration = Duration::from_secs(3);

/// How many devices are remembered.
const CAPACITY: u64 = 100_000;

/// A cache of standings. Cheap to clone.
#[derive(Clone)]
pub struct Standings {
    db: Db,
    cache: Cache<SessionId, Option<Standing>>,
}

impl Standings {
    /// An empty cache.
    #[must_use]
    pub fn new(db: Db) -> Self {
        let cache = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_live(FRESH)
            .build();
        Self { db, cache }
    }

    /// What a device may do; `None` when it is unknown. Many who ask at once ask once.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn of(&self, session: SessionId) -> Result<Option<Standing>, Arc<domain::Error>> {
        self.cache
            .try_get_with(session, async {
                let now = self.db.clock().now();
                let found = self.db.read("sessions.standing", async move |conn| {
                    sessions::standing(conn, now, session).await
                });
                found.await
            })
            .await
    }

    /// Forgets everything: something was changed here, and shall be seen here at once.
    pub fn forget(&self) {
        self.cache.invalidate_all();
    }
}

impl std::fmt::Debug for Standings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standings")
            .field("known", &self.cache.entry_count())
            .finish_non_exhaustive()
    }
}

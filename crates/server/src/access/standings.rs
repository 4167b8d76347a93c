//! What devices may do, looked up at most every few seconds.
//!
//! A token proves who calls; whether that device is still logged in, and what its account may do,
//! is asked of the database and remembered for 3 s. So a lowered role or a revoked device is
//! noticed on every worker within that time, with or without Redis, and a busy tablet costs one
//! query every few seconds rather than one per request.
//!
//! What is changed here is seen here at once: the device or the account is [forgotten], and nobody
//! else, or whoever logs out would make every other device of this worker ask again.
//!
//! [forgotten]: Standings::forget_device

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::db::Db;
use domain::people::sessions;
use domain::people::sessions::Standing;
use moka::future::Cache;
use uuid::Uuid;
use wire::{SessionId, UserId};

/// How long an answer is good for; the contract allows 5 s, and asking takes a moment too.
const FRESH: Duration = Duration::from_secs(3);

/// How many devices are remembered.
const CAPACITY: u64 = 100_000;

/// An answer, and when it was asked for.
#[derive(Clone, Copy)]
struct Known {
    standing: Option<Standing>,
    asked: Instant,
}

/// A cache of standings. Cheap to clone.
#[derive(Clone)]
pub struct Standings {
    db: Db,
    cache: Cache<SessionId, Known>,
    /// Devices and accounts of which what was asked for before then is not to be believed: also
    /// what somebody was just asking for while it changed.
    forgotten: moka::sync::Cache<Uuid, Instant>,
}

impl Standings {
    /// An empty cache.
    #[must_use]
    pub fn new(db: Db) -> Self {
        let cache = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_live(FRESH)
            .build();
        // Longer than an answer lives, which is counted from when it came.
        let forgotten = moka::sync::Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_live(4 * FRESH)
            .build();
        Self {
            db,
            cache,
            forgotten,
        }
    }

    /// What a device may do; `None` when it is unknown. Many who ask at once ask once.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn of(&self, session: SessionId) -> Result<Option<Standing>, Arc<domain::Error>> {
        let known = self.known(session).await?;
        if self.is_good(session, &known) {
            return Ok(known.standing);
        }
        self.cache.invalidate(&session).await;
        Ok(self.known(session).await?.standing)
    }

    async fn known(&self, session: SessionId) -> Result<Known, Arc<domain::Error>> {
        self.cache
            .try_get_with(session, async {
                let asked = Instant::now();
                let now = self.db.clock().now();
                let found = self.db.read("sessions.standing", async move |conn| {
                    sessions::standing(conn, now, session).await
                });
                let standing = found.await?;
                Ok(Known { standing, asked })
            })
            .await
    }

    fn is_good(&self, session: SessionId, known: &Known) -> bool {
        let user = known.standing.map(|standing| standing.user_id.0);
        [Some(session.0), user]
            .into_iter()
            .flatten()
            .filter_map(|who| self.forgotten.get(&who))
            .all(|forgotten| forgotten < known.asked)
    }

    /// Something was changed about a device.
    pub fn forget_device(&self, session: SessionId) {
        self.forgotten.insert(session.0, Instant::now());
    }

    /// Something was changed about an account, or about a membership of its.
    pub fn forget_account(&self, user: UserId) {
        self.forgotten.insert(user.0, Instant::now());
    }
}

impl std::fmt::Debug for Standings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standings")
            .field("known", &self.cache.entry_count())
            .finish_non_exhaustive()
    }
}

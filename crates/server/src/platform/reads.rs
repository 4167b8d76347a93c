//! Reads that a replica of the database may answer, where there is one, and what keeps a client
//! from seeing time go backwards.
//!
//! **Which reads.** Those that show something to people, and of which the restaurant's log tells
//! every change, because its head is what proves that a replica has the change: the lists of
//! guests, tables and bookings, the dashboard, the quote of a wait. The audit too, which is history;
//! the few entries that no event tells of (who signed in) may be missing from it for as long as a
//! replica may be behind.
//!
//! **Which not.** What decides (all writes; who may do what), what a client goes on from (snapshots,
//! `sync/delta` and the hub's reads of the log, which must not be older than what was announced),
//! a single resource (its version is what the next `If-Match` names), free slots (kept slots are in
//! no log, so nothing would prove that the caller's own is there), members and sessions (a change
//! there is to be seen at once, and they are read seldom), menus (held in memory already).
//!
//! **Your own writes.** A client that sends `X-Min-Seq` with the `X-Event-Seq` of its last write
//! gets at least that, from any worker; so does one that sends the `ETag` of a list in
//! `If-None-Match`. For those that send neither, a worker remembers for each restaurant the last
//! position that it has written, answered or delivered to sockets, for as long as a replica may be
//! behind: what was read or heard here is never taken back here. Across workers only the headers
//! help.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::db::{Appended, Db, NearBy, PgConnection, Replica, Standing};
use moka::Entry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use realtime::Hub;
use tracing::Instrument;
use wire::{Position, RestaurantId};

use crate::platform::commits::OnCommit;
use crate::platform::errors::ApiError;
use crate::platform::extract::AtLeast;
use crate::state::transaction;

/// How many restaurants' positions are remembered.
const CAPACITY: u64 = 100_000;

/// What the memory of positions outlives the age of a replica by.
const MARGIN: Duration = Duration::from_secs(5);

/// The way of reads that may be a little old. Cheap to clone.
#[derive(Clone)]
pub struct Reads(Arc<Inner>);

struct Inner {
    primary: Db,
    hub: Hub,
    near: Option<Near>,
    counts: Counts,
}

struct Near {
    replica: Replica,
    /// The last position that somebody was told of here.
    known: Cache<RestaurantId, Position>,
}

/// Who answered how many reads.
#[derive(Default)]
struct Counts {
    primary: AtomicU64,
    replica: AtomicU64,
    behind: AtomicU64,
    away: AtomicU64,
}

/// How several statements at the primary see it, where nothing else asks for one moment.
#[derive(Clone, Copy)]
enum View {
    /// Each as it is then.
    Each,
    /// All as it was at one moment.
    Moment,
}

impl Reads {
    /// Reads at `primary`, or at a replica that is at most so far behind.
    #[must_use]
    pub fn new(primary: Db, hub: Hub, replica: Option<(Replica, Duration)>) -> Self {
        let near = replica.map(|(replica, max_lag)| Near {
            replica,
            known: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(max_lag + MARGIN)
                .build(),
        });
        Self(Arc::new(Inner {
            primary,
            hub,
            near,
            counts: Counts::default(),
        }))
    }

    /// Reads something of a restaurant that is not older than `least`. Where there is no replica,
    /// each statement sees what is committed when it begins.
    ///
    /// # Errors
    /// Those of `read`; 503 when the primary is needed and away.
    pub async fn read<T>(
        &self,
        operation: &'static str,
        restaurant: RestaurantId,
        least: &AtLeast,
        read: impl AsyncFn(&mut PgConnection) -> domain::Result<T>,
    ) -> Result<T, ApiError> {
        self.answer(View::Each, operation, restaurant, least, read)
            .await
    }

    /// The same with all statements seeing one moment, wherever they are answered.
    ///
    /// # Errors
    /// As above.
    pub async fn snapshot<T>(
        &self,
        operation: &'static str,
        restaurant: RestaurantId,
        least: &AtLeast,
        read: impl AsyncFn(&mut PgConnection) -> domain::Result<T>,
    ) -> Result<T, ApiError> {
        self.answer(View::Moment, operation, restaurant, least, read)
            .await
    }

    /// Somebody is told of a restaurant's position: nobody here is told of an older one.
    pub fn told(&self, restaurant: RestaurantId, position: Position) {
        let Some(near) = &self.0.near else {
            return;
        };
        let order = |position: Position| (position.epoch, position.seq);
        near.known.entry(restaurant).and_compute_with(|known| {
            match known.map(Entry::into_value) {
                Some(known) if order(known) > order(position) => Op::Nop,
                // The same again too: it is remembered for so long from now on.
                Some(_) | None => Op::Put(position),
            }
        });
    }

    /// Looks how the replica stands, if there is one. To be called every second.
    pub async fn watch(&self) {
        if let Some(near) = &self.0.near {
            near.replica.watch(&self.0.primary).await;
        }
    }

    /// How the replica stands, if there is one.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.0.near.as_ref().map(|near| near.replica.standing())
    }

    /// Who answered how many reads: the replica, the primary because there is none, because it was
    /// behind, because it was away.
    pub fn counts(&self) -> [(&'static str, u64); 4] {
        let counts = &self.0.counts;
        [
            ("replica", &counts.replica),
            ("primary", &counts.primary),
            ("primary_behind", &counts.behind),
            ("primary_away", &counts.away),
        ]
        .map(|(by, count)| (by, count.load(Ordering::Relaxed)))
    }

    async fn answer<T>(
        &self,
        view: View,
        operation: &'static str,
        restaurant: RestaurantId,
        least: &AtLeast,
        read: impl AsyncFn(&mut PgConnection) -> domain::Result<T>,
    ) -> Result<T, ApiError> {
        let counts = &self.0.counts;
        let count = match &self.0.near {
            None => &counts.primary,
            Some(near) => {
                let known = near.known.get(&restaurant);
                let heard = self.0.hub.position(restaurant);
                let least: Vec<_> = least.0.iter().copied().chain(known).chain(heard).collect();
                let reading = near.replica.read(operation, restaurant, &least, &read);
                match reading.instrument(transaction(operation)).await? {
                    NearBy::Read(value) => {
                        counts.replica.fetch_add(1, Ordering::Relaxed);
                        return Ok(value);
                    }
                    NearBy::Behind => &counts.behind,
                    NearBy::Away => &counts.away,
                }
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        let span = transaction(operation);
        let primary = &self.0.primary;
        // Where there is a replica, the position that is remembered must cover all that was shown, or
        // the next answer could show less.
        Ok(match (view, &self.0.near) {
            (View::Each, None) => primary.read(operation, read).instrument(span).await?,
            _ => primary.snapshot(operation, read).instrument(span).await?,
        })
    }
}

impl OnCommit for Reads {
    fn committed(&self, appended: &Appended) {
        self.told(appended.restaurant_id, appended.position());
    }
}

impl std::fmt::Debug for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reads")
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

//! Bulkheads: how many connections each kind of work may hold, decided before one is taken.
//!
//! Writes of one restaurant wait for each other: they lock the same rows, and its head last. Those
//! that wait would each hold a connection, and a house with more of them than there are connections
//! would keep all other houses out. So whoever wants a connection asks here first:
//!
//! - **Writes of one restaurant** are few at a time. As many more as are useful wait in a line of
//!   that house's own, which has an end and in which nobody waits for long; what does not fit is
//!   refused, and told so ([`Error::Crowded`]). A house's line never stands before another's.
//! - **Reads of one restaurant** likewise: a few slow ones do not take what others need.
//! - **All houses together** leave connections that no writer can hold, some that no reader can,
//!   and some for what is of no restaurant: logins, tokens, the passing of time.
//!
//! Who has a place finds a connection: there are no more places than connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use wire::RestaurantId;

use super::line::{Lines, Turn};
use super::shares::Shares;
use crate::error::Crowd;
use crate::{Error, Result};

/// How many writes of a house wait for their turn at most: what all its devices send at once when
/// they come back, and not more than can be done while a client waits.
const WRITES_IN_LINE: usize = 256;

/// The same of its reads.
const READS_IN_LINE: usize = 512;

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A read, of a restaurant or of none.
    Read(Option<RestaurantId>),
    /// A write transaction of a restaurant.
    Write(RestaurantId),
    /// A write transaction of no restaurant.
    Untold,
}

/// Who waits, and who was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkheadState {
    /// Restaurants that have something under way or in line; others are not known here.
    pub houses: usize,
    /// Writes that wait for others of their restaurant.
    pub writes_in_line: usize,
    /// The same of reads.
    pub reads_in_line: usize,
    /// Writes that were refused because too many of their restaurant were under way.
    pub writes_refused: u64,
    /// The same of reads.
    pub reads_refused: u64,
}

/// The bulkheads of one set of connections.
pub(super) struct Bulkhead {
    /// What any restaurant does.
    houses: Arc<Semaphore>,
    /// Of that, writes.
    writes: Arc<Semaphore>,
    /// Of that, reads.
    reads: Arc<Semaphore>,
    /// Writes of no restaurant.
    untold: Arc<Semaphore>,
    writers: Arc<Lines>,
    readers: Arc<Lines>,
    waiting: AtomicUsize,
    wait: Duration,
    most_writes: usize,
}

/// A place: who has it may take one connection. Dropping it leaves.
pub(super) struct Place {
    // Given back in this order: a turn last, so that the next of the house finds room.
    _all: Option<OwnedSemaphorePermit>,
    _kind: Option<OwnedSemaphorePermit>,
    _turn: Option<Turn>,
}

impl Bulkhead {
    /// Of so many connections; nobody waits for longer than `wait`.
    pub(super) fn new(shares: Shares, wait: Duration) -> Self {
        let permits = |count| Arc::new(Semaphore::new(count));
        Self {
            houses: permits(shares.houses),
            writes: permits(shares.writes),
            reads: permits(shares.reads),
            untold: permits(shares.untold),
            writers: Arc::new(Lines::new(shares.house_writes, WRITES_IN_LINE)),
            readers: Arc::new(Lines::new(shares.house_reads, READS_IN_LINE)),
            waiting: AtomicUsize::new(0),
            wait,
            most_writes: shares.writes,
        }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Error::Crowded`] when the restaurant itself is in the way, [`Error::Unavailable`] when all
    /// are.
    pub(super) async fn enter(&self, purpose: Purpose) -> Result<Place> {
        let until = Instant::now() + self.wait;
        let (turn, kind, all) = match purpose {
            Purpose::Read(None) => (None, None, None),
            Purpose::Untold => (None, Some(&self.untold), None),
            Purpose::Read(Some(house)) => {
                let turn = self.readers.turn(house, until).await;
                let turn = turn.ok_or(Error::Crowded(Crowd::Reads))?;
                (Some(turn), Some(&self.reads), Some(&self.houses))
            }
            Purpose::Write(house) => {
                let turn = self.writers.turn(house, until).await;
                let turn = turn.ok_or(Error::Crowded(Crowd::Changes))?;
                (Some(turn), Some(&self.writes), Some(&self.houses))
            }
        };
        Ok(Place {
            _turn: turn,
            _kind: self.permit(kind, until).await?,
            _all: self.permit(all, until).await?,
        })
    }

    async fn permit(
        &self,
        of: Option<&Arc<Semaphore>>,
        until: Instant,
    ) -> Result<Option<OwnedSemaphorePermit>> {
        let Some(semaphore) = of else {
            return Ok(None);
        };
        if let Ok(permit) = Arc::clone(semaphore).try_acquire_owned() {
            return Ok(Some(permit));
        }
        let _waiting = Waiting::new(&self.waiting);
        match timeout_at(until, Arc::clone(semaphore).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable("no connection in time".to_owned())),
        }
    }

    /// How many writes of all restaurants may be under way.
    pub(super) const fn most_writes(&self) -> usize {
        self.most_writes
    }

    /// How many wait although their restaurant is not in the way.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Who waits, and who was refused.
    pub(super) fn state(&self) -> BulkheadState {
        BulkheadState {
            houses: self.writers.houses() + self.readers.houses(),
            writes_in_line: self.writers.waiting(),
            reads_in_line: self.readers.waiting(),
            writes_refused: self.writers.refused(),
            reads_refused: self.readers.refused(),
        }
    }
}

/// Somebody who waits, for as long as it lives.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    pub(super) fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

//! A line for each restaurant: a few at a time, a few more that wait for their turn.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use wire::RestaurantId;

use super::bulkhead::Waiting;

/// The lines of all restaurants for one kind of work. One where nobody is has no line.
pub(super) struct Lines {
    at_once: usize,
    in_line: usize,
    houses: Mutex<HashMap<RestaurantId, House>>,
    waiting: AtomicUsize,
    refused: AtomicU64,
}

struct House {
    /// Who is at it, and who waits.
    here: usize,
    /// In order of arrival.
    turns: Arc<Semaphore>,
}

/// Whose turn it is, or who waits for it.
pub(super) struct Turn {
    lines: Arc<Lines>,
    house: RestaurantId,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lines {
    /// So many of a restaurant at once, and so many more in its line.
    pub(super) fn new(at_once: usize, in_line: usize) -> Self {
        Self {
            at_once,
            in_line,
            houses: Mutex::default(),
            waiting: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Waits for a turn; `None` when the line is full, or too slow.
    pub(super) async fn turn(
        self: &Arc<Self>,
        house: RestaurantId,
        until: Instant,
    ) -> Option<Turn> {
        let turn = self.wait_for(house, until).await;
        if turn.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        turn
    }

    async fn wait_for(self: &Arc<Self>, house: RestaurantId, until: Instant) -> Option<Turn> {
        let (mut turn, turns) = self.stand_in_line(house)?;
        turn.permit = match Arc::clone(&turns).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => {
                let _waiting = Waiting::new(&self.waiting);
                let permit = timeout_at(until, turns.acquire_owned()).await;
                Some(permit.ok()?.ok()?)
            }
        };
        Some(turn)
    }

    fn stand_in_line(self: &Arc<Self>, house: RestaurantId) -> Option<(Turn, Arc<Semaphore>)> {
        let mut houses = self.houses.lock();
        let known = houses.entry(house).or_insert_with(|| House {
            here: 0,
            turns: Arc::new(Semaphore::new(self.at_once)),
        });
        if known.here >= self.at_once + self.in_line {
            return None;
        }
        known.here += 1;
        let turns = Arc::clone(&known.turns);
        let turn = Turn {
            lines: Arc::clone(self),
            house,
            permit: None,
        };
        Some((turn, turns))
    }

    /// Restaurants that have a line.
    pub(super) fn houses(&self) -> usize {
        self.houses.lock().len()
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many were refused so far.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before the line is forgotten: a new one would begin with all its turns.
        drop(self.permit.take());
        let mut houses = self.lines.houses.lock();
        if let Some(house) = houses.get_mut(&self.house) {
            house.here -= 1;
            if house.here == 0 {
                houses.remove(&self.house);
            }
        }
    }
}

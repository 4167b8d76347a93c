//! Refusals that come in a flood take time.
//!
//! A program that asks again as soon as it is refused asks thousands of times in a second, and being
//! refused costs the worker what a small read costs. A refusal that comes a quarter of a second
//! later makes such a program slow, and nobody else: who waits as `Retry-After` says notices
//! nothing. Those who are kept waiting hold no connection to the database and no turn of their
//! house; they are so many at most, and whoever comes then is refused at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::gcra::Rate;

/// How long a refusal takes in a flood.
const LINGER: Duration = Duration::from_millis(250);

/// How many refusals are no flood yet.
const AT_ONCE: Rate = Rate {
    count: 20,
    period: Duration::from_secs(1),
};

/// How many are kept waiting at once. Each is an open connection, a task and its request: some
/// kilobytes.
const MOST: usize = 2048;

/// The refusals of a worker.
#[derive(Default)]
pub(super) struct Refusals {
    /// When those of lately will have been no flood any more.
    until: Mutex<Option<Instant>>,
    lingering: AtomicUsize,
}

impl Refusals {
    /// Takes the time that a refusal takes now.
    pub(super) async fn linger(&self) {
        if self.is_prompt(Instant::now()) {
            return;
        }
        if let Some(_place) = Place::among(&self.lingering) {
            tokio::time::sleep(LINGER).await;
        }
    }

    /// Counts a refusal; whether it is one of few.
    fn is_prompt(&self, now: Instant) -> bool {
        let mut until = self.until.lock();
        let owed = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let owed = owed + AT_ONCE.cost();
        if AT_ONCE.judge(owed).wait.is_some() {
            return false;
        }
        *until = Some(now + owed);
        true
    }
}

/// One who is kept waiting.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn among(all: &'a AtomicUsize) -> Option<Self> {
        let place = Self(all);
        // It leaves again if there was no room.
        (all.fetch_add(1, Ordering::Relaxed) < MOST).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_prompt_and_a_flood_is_not() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let prompt = |at: u64, count: usize| {
            let now = start + Duration::from_millis(at);
            (0..count).filter(|_| refusals.is_prompt(now)).count()
        };
        assert_eq!(prompt(0, 1000), 20);
        assert_eq!(prompt(100, 1000), 2);
        assert_eq!(prompt(5000, 1000), 20);
    }

    #[test]
    fn they_are_so_many_at_most() {
        let all = AtomicUsize::new(0);
        let places: Vec<_> = (0..2 * MOST).map_while(|_| Place::among(&all)).collect();
        assert_eq!(places.len(), MOST);
        assert!(Place::among(&all).is_none());
        drop(places);
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }
}

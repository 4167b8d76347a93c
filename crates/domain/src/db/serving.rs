//! For which restaurant something is done, and how much of the database it uses.
//!
//! A write names its restaurant; a read is any statement. Whoever answers a request says once for
//! which restaurant that is, around all that comes of it, as spans do: a read that forgot to say so
//! would be one that a house can do without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task_local;
use wire::RestaurantId;

task_local! {
    static SERVED: Served;
}

#[derive(Clone)]
struct Served {
    house: RestaurantId,
    usage: Option<Usage>,
}

/// How long something held connections to the database, all of them together. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Usage(Arc<AtomicU64>);

impl Usage {
    /// What was counted so far: connections that have been given back.
    #[must_use]
    pub fn held(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn add(&self, held: Duration) {
        let micros = u64::try_from(held.as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

/// Runs `work` for a restaurant: what it reads is that restaurant's, and counts with whatever it is
/// a part of.
pub fn serving<T>(
    restaurant: RestaurantId,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let usage = SERVED.try_with(|served| served.usage.clone());
    let served = Served {
        house: restaurant,
        usage: usage.ok().flatten(),
    };
    SERVED.scope(served, work)
}

/// The same, and counts what it uses.
pub fn serving_counted<T>(
    restaurant: RestaurantId,
    usage: Usage,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let served = Served {
        house: restaurant,
        usage: Some(usage),
    };
    SERVED.scope(served, work)
}

/// The restaurant for which this runs, if it is for one.
pub(super) fn served() -> Option<RestaurantId> {
    SERVED.try_with(|served| served.house).ok()
}

/// A connection is held, for as long as this lives.
pub(super) struct Held(Option<(Usage, Instant)>);

impl Held {
    /// From now on, by whatever this runs for.
    pub(super) fn now() -> Self {
        let usage = SERVED.try_with(|served| served.usage.clone());
        let usage = usage.ok().flatten();
        Self(usage.map(|usage| (usage, Instant::now())))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((usage, since)) = &self.0 {
            usage.add(since.elapsed());
        }
    }
}

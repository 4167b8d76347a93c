//! What the hub and the bus count. The server exports it; nothing here knows a metrics system.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use wire::live::frames::ResyncReason;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn count(&self, n: usize) {
        self.add(u64::try_from(n).unwrap_or(u64::MAX));
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Durations, counted in fixed classes.
#[derive(Debug, Default)]
pub struct Durations {
    classes: [Counter; Self::BOUNDS_MS.len()],
    longer: Counter,
    total_ms: Counter,
}

impl Durations {
    /// The upper bounds of the classes, in milliseconds.
    pub const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

    pub(crate) fn record(&self, duration: Duration) {
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut classes = Self::BOUNDS_MS.iter().zip(&self.classes);
        classes
            .find(|(bound, _)| ms <= **bound)
            .map_or(&self.longer, |(_, class)| class)
            .add(1);
        self.total_ms.add(ms);
    }

    /// For each bound, in milliseconds, how many lasted at most as long.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.classes.iter().scan(0, |sum, class| {
            *sum += class.get();
            Some(*sum)
        });
        Self::BOUNDS_MS.into_iter().zip(counts)
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.classes.iter().map(Counter::get).sum::<u64>() + self.longer.get()
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> Duration {
        Duration::from_millis(self.total_ms.get())
    }
}

/// How often sessions had to be told to take a snapshot, by reason.
#[derive(Debug, Default)]
pub struct Resyncs([Counter; ResyncReason::ALL.len()]);

impl Resyncs {
    pub(crate) fn add(&self, reason: ResyncReason) {
        if let Some((_, counter)) = self.iter().find(|(r, _)| *r == reason) {
            counter.add(1);
        }
    }

    /// Every reason with its counter.
    pub fn iter(&self) -> impl Iterator<Item = (ResyncReason, &Counter)> {
        ResyncReason::ALL.iter().copied().zip(&self.0)
    }

    /// How often for any reason.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(Counter::get).sum()
    }
}

/// What the hub and its bus count since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Sessions now.
    pub sessions: Gauge,
    /// Rooms now, the opening ones and those without sessions included.
    pub rooms: Gauge,
    /// Frames handed to sessions.
    pub frames_delivered: Counter,
    /// Transactions of this worker.
    pub commits: Counter,
    /// Sessions that went on where they had been.
    pub resumes: Counter,
    /// Sessions that had to take a snapshot.
    pub resyncs: Resyncs,
    /// Rooms whose log began a new life, or lost its end.
    pub renewals: Counter,

    /// 1 while no part of the bus is down.
    pub bus_up: Gauge,
    /// How often a part of the bus came up, the first time included.
    pub bus_connects: Counter,
    /// Transactions published.
    pub bus_published: Counter,
    /// Transactions that could not be published, and of which other workers got to know later.
    pub bus_publish_failed: Counter,
    /// Transactions for which there was no room in the queue; likewise.
    pub bus_dropped: Counter,
    /// Messages received from other workers.
    pub bus_received: Counter,
    /// Messages that could not be read; the room's position was compared instead.
    pub bus_unreadable: Counter,
    /// From COMMIT on another worker to its arrival here.
    pub bus_lag: Durations,

    /// Questions to the log.
    pub log_reads: Counter,
    /// Questions to the log that failed or took too long.
    pub log_failures: Counter,
    /// Comparisons that found a room behind the log.
    pub head_behind: Counter,
    /// Comparisons that found the log behind a room, or in an older life.
    pub head_contradicts: Counter,
    /// Gaps for which the log was read.
    pub gap_fills: Counter,
    /// Events that were read to fill gaps.
    pub gap_events: Counter,
    /// Pages that lacked events which should have been in them.
    pub log_holes: Counter,
    /// Pages read for sessions that stood before their room's recent events.
    pub backlog_reads: Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_classes() {
        let durations = Durations::default();
        for ms in [0, 1, 3, 4000, 60_000] {
            durations.record(Duration::from_millis(ms));
        }
        let cumulative: Vec<_> = durations.cumulative().map(|(_, n)| n).collect();
        assert_eq!(cumulative, [2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]);
        assert_eq!(durations.count(), 5);
        assert_eq!(durations.total(), Duration::from_millis(64_004));
    }
}

//! How long things took.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Durations, counted in microseconds with three digits. What is longer than an hour counts as one.
#[derive(Clone, Debug)]
pub(crate) struct Latency(Histogram<u64>);

const LONGEST: u64 = 3_600_000_000;

/// A summary, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Latency {
    /// None yet.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, LONGEST, 3)?))
    }

    /// Counts one.
    pub(crate) fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(LONGEST);
        self.0.saturating_record(micros.max(1));
    }

    /// Adds all of another's.
    pub(crate) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// What crosses to another process: durations in microseconds and how often each came.
    pub(crate) fn counts(&self) -> Vec<(u64, u64)> {
        let recorded = self.0.iter_recorded();
        recorded
            .map(|one| (one.value_iterated_to(), one.count_at_value()))
            .collect()
    }

    /// Adds what came from another process.
    pub(crate) fn add_counts(&mut self, counts: &[(u64, u64)]) {
        for (micros, count) in counts {
            self.0.saturating_record_n(*micros, *count);
        }
    }

    /// The usual figures.
    pub(crate) fn summary(&self) -> Summary {
        let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
        Summary {
            count: self.0.len(),
            p50_ms: ms(self.0.value_at_quantile(0.5)),
            p90_ms: ms(self.0.value_at_quantile(0.9)),
            p99_ms: ms(self.0.value_at_quantile(0.99)),
            max_ms: ms(self.0.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_figures() {
        let mut latency = Latency::new().unwrap();
        assert_eq!(latency.summary(), Summary::default());
        for ms in 1..=100 {
            latency.record(Duration::from_millis(ms));
        }
        let summary = latency.summary();
        assert_eq!(summary.count, 100);
        assert!((summary.p50_ms - 50.0).abs() < 0.1, "{summary:?}");
        assert!((summary.p90_ms - 90.0).abs() < 0.1, "{summary:?}");
        assert!((summary.p99_ms - 99.0).abs() < 0.1, "{summary:?}");
        assert!((summary.max_ms - 100.0).abs() < 0.1, "{summary:?}");
    }

    #[test]
    fn it_crosses_to_another_process() {
        let (mut here, mut there) = (Latency::new().unwrap(), Latency::new().unwrap());
        for ms in [3, 3, 70, 5000] {
            there.record(Duration::from_millis(ms));
        }
        here.add_counts(&there.counts());
        assert_eq!(here.summary(), there.summary());
    }
}

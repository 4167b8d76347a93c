//! Time that passes when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

/// Noon, until it is moved. Clones show the same time.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub(super) fn new() -> Self {
        let noon = Utc.with_ymd_and_hms(2026, 3, 14, 12, 0, 0).unwrap();
        Self(Arc::new(AtomicI64::new(noon.timestamp_micros())))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap();
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

//! What the passing of time means for a party that waits. Plain functions of its row; the due rows
//! see to it that somebody asks.

use chrono::{DateTime, TimeDelta, Utc};
use wire::floor::guests::GuestStatus;

use super::row::GuestRow;

/// Nobody is late before so many minutes: a party that was told "at once" is walked to its table.
const LEAST_PROMISE: i32 = 5;

impl GuestRow {
    /// When the wait that the party was told is over.
    pub(super) fn quoted_until(&self) -> Option<DateTime<Utc>> {
        let minutes = self.quoted_wait_minutes?.max(LEAST_PROMISE);
        Some(self.check_in_time + TimeDelta::minutes(minutes.into()))
    }

    /// Whether the party was expected until now, and did not come.
    pub(super) fn has_not_come(&self, now: DateTime<Utc>) -> bool {
        self.notified_until.is_some_and(|until| until <= now)
    }

    /// Notes that the party is told of its table, and for how long it is expected.
    pub(super) fn notify(&mut self, now: DateTime<Utc>, timeout: Option<i32>) {
        self.notified_at = Some(now);
        self.notified_until = timeout.map(|minutes| now + TimeDelta::minutes(minutes.into()));
    }

    /// Notes how long a party waited that gets its table now, and what became of its quote.
    pub(super) fn measure_wait(&mut self, now: DateTime<Utc>) {
        let waited = (now - self.check_in_time).num_minutes().max(0);
        let waited = i32::try_from(waited).unwrap_or(i32::MAX);
        self.waited_minutes = Some(waited);
        self.quote_error_minutes = self.quoted_wait_minutes.map(|quoted| waited - quoted);
        self.over_quote = self.quoted_until().is_some_and(|until| until < now);
    }

    /// Brings what follows from the time into line: whether a waiting party is over its quote, and
    /// when it is to be looked at again.
    pub(super) fn keep_time(&mut self, now: DateTime<Utc>) {
        if self.status != GuestStatus::Notified {
            self.notified_until = None;
        }
        if !self.status.is_waiting() {
            self.due_at = None;
            return;
        }
        (self.waited_minutes, self.quote_error_minutes) = (None, None);
        let quoted_until = self.quoted_until();
        self.over_quote = quoted_until.is_some_and(|until| until <= now);
        let overrun = quoted_until.filter(|_| !self.over_quote);
        self.due_at = [self.notified_until, overrun].into_iter().flatten().min();
    }
}

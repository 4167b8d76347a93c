//! The algorithm: GCRA, the leaky bucket as one number.
//!
//! What somebody has taken is a debt of time, which passing time pays off. A request adds the
//! period divided by the count, and is refused when the debt would be larger than the period. So a
//! whole period's worth may be taken at once, and after that as much as the rate allows.
//!
//! It is written out here, in ten lines, because the debts are also kept in Redis, and debts of
//! several workers are added up: no library lets its state be read and written that way.

use std::cmp::Reverse;
use std::time::Duration;

/// So many in a period, and all of them at once if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long.
    pub period: Duration,
}

impl Rate {
    /// So many in a minute.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        let period = Duration::from_secs(60);
        Self { count, period }
    }

    /// So many in an hour.
    #[must_use]
    pub const fn per_hour(count: u32) -> Self {
        let period = Duration::from_secs(3600);
        Self { count, period }
    }

    /// What one adds to the debt.
    #[must_use]
    pub fn cost(&self) -> Duration {
        self.period / self.count.max(1)
    }

    /// How it stands with a debt, to which the present request has been added.
    #[must_use]
    pub fn judge(&self, debt: Duration) -> Verdict {
        let left = self.period.saturating_sub(debt);
        let too_much = debt.saturating_sub(self.period);
        let cost = self.cost().as_micros().max(1);
        Verdict {
            limit: self.count,
            remaining: u32::try_from(left.as_micros() / cost).unwrap_or(u32::MAX),
            reset: debt.min(self.period),
            wait: (!too_much.is_zero()).then_some(too_much),
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How many may be in a period.
    pub limit: u32,
    /// How many more may come now.
    pub remaining: u32,
    /// When all of them may come again.
    pub reset: Duration,
    /// When to come again, if it was refused.
    pub wait: Option<Duration>,
}

impl Verdict {
    /// The one that refuses for longer, or else is nearer to its end.
    #[must_use]
    pub fn tighter(self, other: Self) -> Self {
        let tightness = |one: Self| (one.wait, Reverse(one.remaining));
        if tightness(other) > tightness(self) {
            other
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_and_what_it_means() {
        let rate = Rate::per_minute(4);
        let seconds = Duration::from_secs;
        assert_eq!(rate.cost(), seconds(15));
        for (debt, remaining, reset, wait) in [
            (15, 3, 15, None),
            (16, 2, 16, None),
            (60, 0, 60, None),
            (61, 0, 60, Some(1)),
            (75, 0, 60, Some(15)),
        ] {
            let verdict = Verdict {
                limit: 4,
                remaining,
                reset: seconds(reset),
                wait: wait.map(seconds),
            };
            assert_eq!(rate.judge(seconds(debt)), verdict, "{debt}");
        }
    }
}

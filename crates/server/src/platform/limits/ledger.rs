//! What this worker knows of who took how much.
//!
//! Debts that are paid off are forgotten, so it holds no more than those who came lately.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::gcra::{Rate, Verdict};
use super::subject::Subject;

/// Debts by subject.
#[derive(Default)]
pub(super) struct Ledger(Mutex<HashMap<Subject, Account>>);

struct Account {
    /// When the debt will have been paid.
    until: Instant,
    /// What was added since the other workers were told.
    untold: Duration,
}

impl Account {
    fn debt(&self, now: Instant) -> Duration {
        self.until.saturating_duration_since(now)
    }
}

/// A part of a debt that the others are to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) subject: Subject,
    pub(super) cost: Duration,
}

impl Ledger {
    /// Takes one of each, or none when one of them would be refused: that verdict is returned, else
    /// the tightest.
    pub(super) fn take(&self, now: Instant, takes: &[(Subject, Rate)]) -> Option<Verdict> {
        let mut accounts = self.0.lock();
        let debt = |subject| {
            accounts
                .get(subject)
                .map_or(Duration::ZERO, |one| one.debt(now))
        };
        let verdicts = takes
            .iter()
            .map(|(subject, rate)| rate.judge(debt(subject) + rate.cost()));
        let verdict = verdicts.reduce(Verdict::tighter)?;
        if verdict.wait.is_some() {
            return Some(verdict);
        }
        for (subject, rate) in takes {
            let account = accounts.entry(*subject).or_insert(Account {
                until: now,
                untold: Duration::ZERO,
            });
            account.until = account.until.max(now) + rate.cost();
            account.untold += rate.cost();
        }
        Some(verdict)
    }

    /// Gives one of each back.
    pub(super) fn give_back(&self, takes: &[(Subject, Rate)]) {
        let mut accounts = self.0.lock();
        for (subject, rate) in takes {
            if let Some(account) = accounts.get_mut(subject) {
                account.until = account
                    .until
                    .checked_sub(rate.cost())
                    .unwrap_or(account.until);
                account.untold = account.untold.saturating_sub(rate.cost());
            }
        }
    }

    /// All debts, each with what the others have not been told of it. What is paid is forgotten:
    /// who takes less than the rate is mostly not among them.
    pub(super) fn shares(&self, now: Instant) -> Vec<Share> {
        let mut accounts = self.0.lock();
        accounts.retain(|_, account| account.until > now);
        accounts
            .iter_mut()
            .map(|(subject, account)| Share {
                subject: *subject,
                cost: std::mem::take(&mut account.untold),
            })
            .collect()
    }

    /// Takes over what all workers together have added up to.
    pub(super) fn told(&self, now: Instant, shares: &[Share], debts: &[Duration]) {
        let mut accounts = self.0.lock();
        for (share, debt) in shares.iter().zip(debts) {
            if let Some(account) = accounts.get_mut(&share.subject) {
                account.until = now + *debt + account.untold;
            }
        }
    }

    /// They could not be told.
    pub(super) fn not_told(&self, shares: &[Share]) {
        let mut accounts = self.0.lock();
        for share in shares {
            if let Some(account) = accounts.get_mut(&share.subject) {
                account.untold += share.cost;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::subject::Tier;
    use super::*;

    const ONE: Subject = Subject::digest(Tier::Reads, [1; 16]);
    const TWO: Subject = Subject::digest(Tier::Reads, [2; 16]);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let (ledger, start) = (Ledger::default(), Instant::now());
        let rate = Rate::per_minute(4);
        let take = |at| ledger.take(start + seconds(at), &[(ONE, rate)]).unwrap();
        let remaining: Vec<u32> = (0..4).map(|_| take(0).remaining).collect();
        assert_eq!(remaining, [3, 2, 1, 0]);
        assert_eq!(take(0).wait, Some(seconds(15)));
        // What is refused costs nothing.
        assert_eq!(take(10).wait, Some(seconds(5)));
        assert_eq!((take(15).wait, take(15).wait), (None, Some(seconds(15))));
        // Another's debt is another's.
        let other = ledger.take(start, &[(TWO, rate)]).unwrap();
        assert_eq!(other.remaining, 3);
        assert_eq!(take(1000).remaining, 3);
        // In the long run it is the rate, whatever the rhythm.
        let taken = (1060..4660).filter(|second| take(*second).wait.is_none());
        assert_eq!(taken.count(), 3 + 4 * 60);
    }

    #[test]
    fn all_or_none_and_back() {
        let (ledger, now) = (Ledger::default(), Instant::now());
        let (wide, narrow) = ((ONE, Rate::per_minute(10)), (TWO, Rate::per_minute(1)));
        let verdict = ledger.take(now, &[wide, narrow]).unwrap();
        assert_eq!((verdict.limit, verdict.remaining), (1, 0));
        let refused = ledger.take(now, &[wide, narrow]).unwrap();
        assert_eq!((refused.limit, refused.wait), (1, Some(seconds(60))));
        assert_eq!(ledger.take(now, &[wide]).unwrap().remaining, 8);
        ledger.give_back(&[wide, narrow]);
        assert_eq!(ledger.take(now, &[wide, narrow]).unwrap().wait, None);
        assert_eq!(ledger.take(now, &[]), None);
    }

    #[test]
    fn workers_that_compare_add_up() {
        let (one, two) = (Ledger::default(), Ledger::default());
        let (now, rate) = (Instant::now(), Rate::per_minute(60));
        let take = |ledger: &Ledger, count| {
            let taken = (0..count).map(|_| ledger.take(now, &[(ONE, rate)]).unwrap());
            taken.filter(|verdict| verdict.wait.is_none()).count()
        };
        assert_eq!((take(&one, 40), take(&two, 40)), (40, 40));
        let mut total = Duration::ZERO;
        for ledger in [&one, &two, &one] {
            let shares = ledger.shares(now);
            total += shares.iter().map(|share| share.cost).sum::<Duration>();
            // Taken while they were being told.
            let meanwhile = take(ledger, 1);
            ledger.told(now, &shares, &[total]);
            assert!(meanwhile <= 1);
        }
        assert_eq!(total, seconds(81));
        assert_eq!((take(&one, 1), take(&two, 1)), (0, 0));
    }

    #[test]
    fn what_could_not_be_told_is_told_later_and_what_is_paid_is_forgotten() {
        let (ledger, now) = (Ledger::default(), Instant::now());
        let rate = Rate::per_minute(60);
        ledger.take(now, &[(ONE, rate)]);
        let shares = ledger.shares(now);
        assert_eq!(ledger.shares(now)[0].cost, Duration::ZERO);
        ledger.not_told(&shares);
        ledger.take(now, &[(ONE, rate)]);
        let both = [Share {
            subject: ONE,
            cost: seconds(2),
        }];
        assert_eq!(ledger.shares(now), both);
        ledger.shares(now + seconds(3));
        assert!(ledger.0.lock().is_empty());
    }
}

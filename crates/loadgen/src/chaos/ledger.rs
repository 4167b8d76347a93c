//! What writers were answered, held against the log.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use serde::Serialize;
use uuid::Uuid;
use wire::{Epoch, ErrorCode, Position, RestaurantId, Seq};

use crate::judge::Truth;
use crate::latency::Latency;
use crate::log::LogCopy;

/// How many findings are spelled out.
const SPELLED_OUT: usize = 20;

/// What one writer did.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) restaurant: RestaurantId,
    pub(crate) entries: Vec<Entry>,
    /// Answers of the 500s, by status.
    pub(crate) faults: BTreeMap<u16, u64>,
    /// Answers that say that it was too much, 429.
    pub(crate) limited: u64,
    /// Requests that were not answered at all.
    pub(crate) unanswered: u64,
    /// From a request to its answer, whatever it said.
    pub(crate) latency: Latency,
    pub(crate) complaints: Vec<String>,
}

/// A transaction that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) transaction: Uuid,
    pub(crate) outcome: Outcome,
}

/// What became of it, as the writer was told.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was done; the position is missing when it had been done before.
    Done {
        position: Option<Position>,
        at: Instant,
    },
    /// It was not and never will be.
    Refused { status: u16, codes: Vec<ErrorCode> },
    /// There was no answer to the end.
    Unknown,
}

impl Outcome {
    /// Whether what was to be changed is not there any more.
    pub(crate) fn says_gone(&self) -> bool {
        matches!(self, Self::Refused { codes, .. } if codes.contains(&ErrorCode::NotFound))
    }
}

impl Ledger {
    pub(crate) fn new(restaurant: RestaurantId) -> anyhow::Result<Self> {
        Ok(Self {
            restaurant,
            entries: Vec::new(),
            faults: BTreeMap::new(),
            limited: 0,
            unanswered: 0,
            latency: Latency::new()?,
            complaints: Vec::new(),
        })
    }

    /// Answers that did not say what became of a request, by status; 0 for none.
    pub(crate) fn refusals(&self) -> BTreeMap<u16, u64> {
        let more = [(429, self.limited), (0, self.unanswered)];
        let more = more.into_iter().filter(|(_, count)| *count > 0);
        self.faults.clone().into_iter().chain(more).collect()
    }

    pub(crate) fn complain(&mut self, what: String) {
        self.complaints.push(what);
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Accounts {
    /// Transactions whose writer was told that they were done.
    pub(crate) acknowledged: u64,
    /// Of these, the ones that were done after the copy was taken to which the database was then
    /// rewound.
    pub(crate) rewound: u64,
    /// Transactions whose writer was told that they could not be done.
    pub(crate) refused: u64,
    /// Transactions that were acknowledged and are not where they should be.
    pub(crate) lost: u64,
    /// Transactions that were done twice.
    pub(crate) doubled: u64,
    /// Transactions that were refused and done nevertheless.
    pub(crate) false_refusals: u64,
    /// Transactions of which no answer could be had.
    pub(crate) unresolved: u64,
    /// Anything else that the contract forbids.
    pub(crate) complaints: u64,
    /// Answers of the 500s, by status.
    pub(crate) server_errors: BTreeMap<u16, u64>,
    /// Requests that were not answered at all.
    pub(crate) unanswered: u64,
    /// The first findings, in words.
    pub(crate) findings: Vec<String>,
}

/// Where the log completes each transaction.
type Completed = HashMap<Uuid, Vec<Seq>>;

impl Accounts {
    /// Whether every answer was true.
    pub(crate) const fn is_clean(&self) -> bool {
        self.lost == 0
            && self.doubled == 0
            && self.false_refusals == 0
            && self.unresolved == 0
            && self.complaints == 0
    }

    fn find(&mut self, what: String) {
        if self.findings.len() < SPELLED_OUT {
            self.findings.push(what);
        }
    }

    /// Holds all ledgers against the logs.
    pub(crate) fn audit(&mut self, ledgers: &[Ledger], truth: &Truth) {
        let mut indexes: HashMap<RestaurantId, HashMap<Epoch, Completed>> = HashMap::new();
        for ledger in ledgers {
            let lives = indexes.entry(ledger.restaurant).or_insert_with(|| {
                let lives = truth.lives(ledger.restaurant);
                lives.map(|log| (log.epoch, completed(log))).collect()
            });
            let living = truth.living(ledger.restaurant).map(|log| log.epoch);
            for entry in &ledger.entries {
                self.check(entry, lives, living);
            }
            for complaint in &ledger.complaints {
                self.complaints += 1;
                self.find(complaint.clone());
            }
            for (status, count) in &ledger.faults {
                *self.server_errors.entry(*status).or_default() += count;
            }
            self.unanswered += ledger.unanswered;
        }
    }

    fn check(&mut self, entry: &Entry, lives: &HashMap<Epoch, Completed>, living: Option<Epoch>) {
        let id = entry.transaction;
        let in_life = |epoch: Epoch| {
            let life = lives.get(&epoch);
            life.and_then(|life| life.get(&id))
                .map_or(&[][..], Vec::as_slice)
        };
        let remains = living.map_or(&[][..], in_life);
        if lives.keys().any(|epoch| in_life(*epoch).len() > 1) {
            self.doubled += 1;
            self.find(format!("{id} was done twice"));
        }
        match &entry.outcome {
            Outcome::Done { position, .. } => {
                self.acknowledged += 1;
                let was_done = match position {
                    Some(at) => in_life(at.epoch).contains(&at.seq),
                    None => lives.keys().any(|epoch| !in_life(*epoch).is_empty()),
                };
                let was_rewound = position.is_none_or(|at| Some(at.epoch) != living);
                if !was_done || (remains.is_empty() && !was_rewound) {
                    self.lost += 1;
                    self.find(format!(
                        "{id} was acknowledged at {position:?} and is not there"
                    ));
                } else if remains.is_empty() {
                    self.rewound += 1;
                }
            }
            Outcome::Refused { status, codes } => {
                self.refused += 1;
                if !remains.is_empty() {
                    self.false_refusals += 1;
                    self.find(format!(
                        "{id} was refused with {status} {codes:?} and is there"
                    ));
                }
            }
            Outcome::Unknown => {
                self.unresolved += 1;
                self.find(format!("{id}: no answer could be had"));
            }
        }
    }
}

fn completed(log: &LogCopy) -> Completed {
    let mut completed = Completed::new();
    for (seq, entry) in (1..).zip(&log.entries) {
        if let Some(transaction) = entry.completes {
            completed.entry(transaction).or_default().push(seq);
        }
    }
    completed
}

#[cfg(test)]
mod tests {
    use wire::live::events::EventKind;

    use super::*;

    const FIRST: Epoch = Epoch(Uuid::from_u128(1));
    const SECOND: Epoch = Epoch(Uuid::from_u128(2));
    const HOUSE: RestaurantId = RestaurantId(Uuid::nil());

    fn log(epoch: Epoch, transactions: &[u128]) -> LogCopy {
        let entries = transactions.iter().map(|id| crate::log::Entry {
            kind: EventKind::AtomicTransactionComplete,
            hash: 0,
            completes: Some(Uuid::from_u128(*id)),
            party: None,
        });
        LogCopy {
            epoch,
            entries: entries.collect(),
        }
    }

    fn done(epoch: Epoch, seq: Seq) -> Outcome {
        Outcome::Done {
            position: Some(Position { epoch, seq }),
            at: Instant::now(),
        }
    }

    fn refused() -> Outcome {
        Outcome::Refused {
            status: 409,
            codes: Vec::new(),
        }
    }

    fn audit(entries: Vec<(u128, Outcome)>, logs: Vec<LogCopy>) -> Accounts {
        let mut truth = Truth::default();
        for log in logs {
            truth.add(HOUSE, log);
        }
        let mut ledger = Ledger::new(HOUSE).unwrap();
        ledger.entries = entries
            .into_iter()
            .map(|(id, outcome)| Entry {
                transaction: Uuid::from_u128(id),
                outcome,
            })
            .collect();
        let mut accounts = Accounts::default();
        accounts.audit(&[ledger], &truth);
        accounts
    }

    #[test]
    fn true_answers() {
        let repeated = Outcome::Done {
            position: None,
            at: Instant::now(),
        };
        let entries = vec![(10, done(FIRST, 1)), (11, repeated), (12, refused())];
        let accounts = audit(entries, vec![log(FIRST, &[10, 11])]);
        assert!(accounts.is_clean(), "{accounts:?}");
        assert_eq!((accounts.acknowledged, accounts.refused), (2, 1));
    }

    #[test]
    fn an_acknowledged_write_that_is_missing() {
        let accounts = audit(vec![(10, done(FIRST, 2))], vec![log(FIRST, &[11, 12])]);
        assert_eq!(accounts.lost, 1);
        let elsewhere = audit(vec![(10, done(FIRST, 2))], vec![log(FIRST, &[10, 12])]);
        assert_eq!(elsewhere.lost, 1, "the position was another's");
    }

    #[test]
    fn a_write_that_was_done_twice() {
        let accounts = audit(vec![(10, done(FIRST, 1))], vec![log(FIRST, &[10, 10])]);
        assert_eq!((accounts.doubled, accounts.is_clean()), (1, false));
    }

    #[test]
    fn a_refusal_that_was_not_true() {
        let accounts = audit(vec![(10, refused())], vec![log(FIRST, &[10])]);
        assert_eq!(accounts.false_refusals, 1);
    }

    #[test]
    fn a_write_without_an_answer() {
        assert!(!audit(vec![(10, Outcome::Unknown)], vec![log(FIRST, &[10])]).is_clean());
    }

    /// The copy had event 1 and not event 2.
    #[test]
    fn what_a_rewind_took_is_no_loss_and_may_be_done_again() {
        let logs = || vec![log(FIRST, &[10, 11]), log(SECOND, &[10, 12])];
        let entries = vec![
            (10, done(FIRST, 1)),
            (11, done(FIRST, 2)),
            (12, done(SECOND, 2)),
        ];
        let accounts = audit(entries, logs());
        assert!(accounts.is_clean(), "{accounts:?}");
        assert_eq!(accounts.rewound, 1);

        let lost = audit(vec![(13, done(SECOND, 3))], logs());
        assert_eq!(lost.lost, 1);
        let never = audit(vec![(13, done(FIRST, 3))], logs());
        assert_eq!(never.lost, 1);
    }
}

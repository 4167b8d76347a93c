//! Compares what a device heard with the log.
//!
//! A device is owed every event that its filter lets through, from the start of a stretch up to
//! the last position that it was given there, each once, in order, with the bytes of the log; and
//! in the life of the log that goes on, up to its end.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;
use wire::live::events::EventKind;
use wire::{Epoch, RestaurantId, Seq};

use crate::log::{Entry, LogCopy};
use crate::transcript::{Heard, Span, Transcript};

/// How many findings are spelled out.
const SPELLED_OUT: usize = 20;

/// All lives of all logs.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    logs: HashMap<(RestaurantId, Epoch), LogCopy>,
    living: HashMap<RestaurantId, Epoch>,
}

impl Truth {
    /// Adds a life of a log, the last of which goes on.
    pub(crate) fn add(&mut self, restaurant: RestaurantId, log: LogCopy) {
        self.living.insert(restaurant, log.epoch);
        self.logs.insert((restaurant, log.epoch), log);
    }

    /// A life of a log.
    pub(crate) fn log(&self, restaurant: RestaurantId, epoch: Epoch) -> Option<&LogCopy> {
        self.logs.get(&(restaurant, epoch))
    }

    /// All lives of a restaurant's log.
    pub(crate) fn lives(&self, restaurant: RestaurantId) -> impl Iterator<Item = &LogCopy> {
        self.logs
            .iter()
            .filter(move |((id, _), _)| *id == restaurant)
            .map(|(_, log)| log)
    }

    /// How many events there were in all lives together. Those that a younger life has taken over
    /// count once.
    pub(crate) fn committed(&self) -> usize {
        let events = self.logs.iter().flat_map(|((restaurant, _), log)| {
            let numbered = log.entries.iter().enumerate();
            numbered.map(move |(index, entry)| (*restaurant, index, entry.hash))
        });
        events.collect::<HashSet<_>>().len()
    }

    /// The life that goes on.
    pub(crate) fn living(&self, restaurant: RestaurantId) -> Option<&LogCopy> {
        self.log(restaurant, *self.living.get(&restaurant)?)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    /// Events that were heard as they should be.
    pub(crate) delivered: u64,
    /// Events that were never heard.
    pub(crate) lost: u64,
    /// Events that were heard again.
    pub(crate) duplicated: u64,
    /// Events that were heard after later ones.
    pub(crate) disordered: u64,
    /// Events whose bytes are not those of the log.
    pub(crate) altered: u64,
    /// Events that are not in the log, or that the filter should have kept away.
    pub(crate) foreign: u64,
    /// Anything else that the contract forbids.
    pub(crate) complaints: u64,
    /// The first of them, in words.
    pub(crate) findings: Vec<String>,
}

impl Verdict {
    /// Whether the promise was kept.
    pub(crate) const fn is_clean(&self) -> bool {
        self.lost == 0
            && self.duplicated == 0
            && self.disordered == 0
            && self.altered == 0
            && self.foreign == 0
            && self.complaints == 0
    }

    fn find(&mut self, what: impl FnOnce() -> String) {
        if self.findings.len() < SPELLED_OUT {
            self.findings.push(what());
        }
    }

    /// Judges one device.
    pub(crate) fn judge(&mut self, transcript: &Transcript, truth: &Truth) {
        for complaint in &transcript.complaints {
            self.complaints += 1;
            self.find(|| complaint.clone());
        }
        for picture in &transcript.pictures {
            let log = truth.log(transcript.restaurant, picture.position.epoch);
            if let Some(contradiction) = log.and_then(|log| picture.contradiction(log)) {
                self.complaints += 1;
                self.find(|| format!("{}: {contradiction}", transcript.name));
            }
        }
        let Some(last) = transcript.spans.len().checked_sub(1) else {
            self.complaints += 1;
            self.find(|| format!("{}: was never let in", transcript.name));
            return;
        };
        let living = truth.living(transcript.restaurant);
        for (index, span) in transcript.spans.iter().enumerate() {
            let Some(log) = truth.log(transcript.restaurant, span.epoch) else {
                // An epoch that lived too short to be read, or one that never was.
                if !span.heard.is_empty() {
                    self.complaints += 1;
                    self.find(|| format!("{}: epoch {} is unknown", transcript.name, span.epoch));
                }
                continue;
            };
            let is_living = living.is_some_and(|living| living.epoch == span.epoch);
            if index == last && !is_living {
                self.complaints += 1;
                self.find(|| format!("{}: never heard of the last epoch", transcript.name));
            }
            let owed = if index == last && is_living {
                log.head()
            } else {
                span.start
            };
            self.judge_span(transcript, span, log, owed);
        }
    }

    /// Judges one stretch, which reaches up to `owed` at least.
    fn judge_span(&mut self, who: &Transcript, span: &Span, log: &LogCopy, owed: Seq) {
        let wants = |entry: &Entry| lets_through(who.filter.as_deref(), entry.kind);
        let owed_between = |after: Seq, up_to: Seq| {
            (after + 1..=up_to).filter(|seq| log.get(*seq).is_some_and(wants))
        };
        let mut missing = BTreeSet::new();
        let mut at = span.start;
        for heard in &span.heard {
            let Heard::Event { seq, hash, .. } = *heard else {
                missing.extend(owed_between(at, heard.seq()));
                at = at.max(heard.seq());
                continue;
            };
            let Some(entry) = log.get(seq).filter(|entry| wants(entry)) else {
                self.foreign += 1;
                self.find(|| format!("{}: {seq} of {} is not for it", who.name, span.epoch));
                continue;
            };
            if entry.hash != hash {
                self.altered += 1;
                self.find(|| format!("{}: {seq} has not the bytes of the log", who.name));
            }
            if seq > at {
                missing.extend(owed_between(at, seq - 1));
                at = seq;
                self.delivered += 1;
            } else if missing.remove(&seq) {
                self.disordered += 1;
                self.find(|| format!("{}: {seq} after {at}", who.name));
            } else {
                self.duplicated += 1;
                self.find(|| format!("{}: {seq} again, after {at}", who.name));
            }
        }
        missing.extend(owed_between(at, owed));
        for seq in missing {
            self.lost += 1;
            self.find(|| {
                let reached = span.reached;
                format!(
                    "{}: {seq} never came; it reached {reached}, the log {}",
                    who.name,
                    log.head()
                )
            });
        }
    }
}

fn lets_through(filter: Option<&[EventKind]>, kind: EventKind) -> bool {
    filter.is_none_or(|kinds| kinds.contains(&kind))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use uuid::Uuid;
    use wire::Position;
    use wire::live::frames::ResyncReason;

    use super::*;

    const FIRST: Epoch = Epoch(Uuid::from_u128(1));
    const SECOND: Epoch = Epoch(Uuid::from_u128(2));
    const HOUSE: RestaurantId = RestaurantId(Uuid::nil());

    /// Events 1–`head`; those with odd numbers are of guests, the others of tables.
    fn log(epoch: Epoch, head: Seq) -> LogCopy {
        let entries = (1..=head).map(|seq| Entry {
            kind: if seq % 2 == 1 {
                EventKind::GuestUpdated
            } else {
                EventKind::TableUpdated
            },
            hash: hash(epoch, seq),
            completes: None,
            party: None,
        });
        LogCopy {
            epoch,
            entries: entries.collect(),
        }
    }

    fn hash(epoch: Epoch, seq: Seq) -> u64 {
        u64::try_from(seq).unwrap() + 1000 * u64::from(epoch == SECOND && seq > 5)
    }

    fn event(epoch: Epoch, seq: Seq) -> Heard {
        Heard::Event {
            seq,
            hash: hash(epoch, seq),
            at: Instant::now(),
            ready: Instant::now(),
        }
    }

    fn device(filter: Option<Vec<EventKind>>) -> Transcript {
        let mut device = Transcript::new("device".to_owned(), HOUSE, filter);
        device.begin(Position {
            epoch: FIRST,
            seq: 2,
        });
        device
    }

    fn judge(device: &Transcript, logs: Vec<LogCopy>) -> Verdict {
        let mut truth = Truth::default();
        for log in logs {
            truth.add(HOUSE, log);
        }
        let mut verdict = Verdict::default();
        verdict.judge(device, &truth);
        verdict
    }

    /// What is found when these events are heard of a log of 6, beginning after 2.
    fn heard(seqs: &[Seq]) -> Verdict {
        let mut device = device(None);
        for seq in seqs {
            device.hear(event(FIRST, *seq));
        }
        judge(&device, vec![log(FIRST, 6)])
    }

    #[track_caller]
    fn assert_counts(verdict: &Verdict, expected: [u64; 4]) {
        let counts = [
            verdict.delivered,
            verdict.lost,
            verdict.duplicated,
            verdict.disordered,
        ];
        assert_eq!(counts, expected, "{:?}", verdict.findings);
        assert_eq!(verdict.is_clean(), expected[1..] == [0, 0, 0]);
    }

    #[test]
    fn all_once_and_in_order() {
        assert_counts(&heard(&[3, 4, 5, 6]), [4, 0, 0, 0]);
    }

    #[test]
    fn a_lost_event_is_found_wherever_it_is() {
        assert_counts(&heard(&[4, 5, 6]), [3, 1, 0, 0]);
        assert_counts(&heard(&[3, 4, 6]), [3, 1, 0, 0]);
        assert_counts(&heard(&[3, 4, 5]), [3, 1, 0, 0]);
        assert_counts(&heard(&[]), [0, 4, 0, 0]);
    }

    #[test]
    fn a_doubled_event_is_found() {
        assert_counts(&heard(&[3, 4, 4, 5, 6]), [4, 0, 1, 0]);
        assert_counts(&heard(&[3, 4, 5, 6, 3]), [4, 0, 1, 0]);
    }

    #[test]
    fn disorder_is_found_and_is_no_loss() {
        assert_counts(&heard(&[3, 5, 4, 6]), [3, 0, 0, 1]);
    }

    #[test]
    fn what_was_before_the_start_is_not_owed_and_not_wanted() {
        assert_counts(&heard(&[2, 3, 4, 5, 6]), [4, 0, 1, 0]);
    }

    #[test]
    fn other_bytes_and_events_that_never_were_are_found() {
        let mut device = device(None);
        for seq in [3, 4, 5] {
            device.hear(event(FIRST, seq));
        }
        device.hear(Heard::Event {
            seq: 6,
            hash: 0,
            at: Instant::now(),
            ready: Instant::now(),
        });
        device.hear(event(FIRST, 7));
        let verdict = judge(&device, vec![log(FIRST, 6)]);
        assert_eq!((verdict.altered, verdict.foreign), (1, 1));
        assert!(!verdict.is_clean());
    }

    #[test]
    fn a_filter_changes_what_is_owed() {
        let kinds = || Some(vec![EventKind::TableUpdated]);
        let mut good = device(kinds());
        good.hear(event(FIRST, 4));
        good.hear(event(FIRST, 6));
        assert_counts(&judge(&good, vec![log(FIRST, 6)]), [2, 0, 0, 0]);

        let mut leaking = device(kinds());
        for seq in [4, 5, 6] {
            leaking.hear(event(FIRST, seq));
        }
        assert_eq!(judge(&leaking, vec![log(FIRST, 6)]).foreign, 1);
    }

    /// The server's word that all was said is held against it.
    #[test]
    fn a_position_that_skips_an_event_loses_it() {
        let mut device = device(Some(vec![EventKind::TableUpdated]));
        device.hear(Heard::Position(5));
        device.hear(event(FIRST, 6));
        assert_counts(&judge(&device, vec![log(FIRST, 6)]), [1, 1, 0, 0]);
    }

    #[test]
    fn after_a_rewind_only_what_was_promised_of_the_old_life_is_owed() {
        let mut device = device(None);
        for seq in [3, 4, 5, 6] {
            device.hear(event(FIRST, seq));
        }
        let start = Position {
            epoch: SECOND,
            seq: 5,
        };
        device.resync(ResyncReason::EpochChanged, start);
        for seq in [6, 7] {
            device.hear(event(SECOND, seq));
        }
        // The old log had more than the device heard of it before everything stopped.
        let logs = || vec![log(FIRST, 9), log(SECOND, 7)];
        assert_counts(&judge(&device, logs()), [6, 0, 0, 0]);

        device.hear(Heard::Position(7));
        device.spans[0].heard.remove(1);
        assert_counts(&judge(&device, logs()), [5, 1, 0, 0]);
    }

    #[test]
    fn what_two_lives_share_was_committed_once() {
        let mut truth = Truth::default();
        truth.add(HOUSE, log(FIRST, 9));
        truth.add(HOUSE, log(SECOND, 7));
        assert_eq!(truth.committed(), 11);
    }

    #[test]
    fn a_device_that_never_hears_of_the_new_life_is_found() {
        let mut device = device(None);
        for seq in [3, 4, 5, 6] {
            device.hear(event(FIRST, seq));
        }
        let verdict = judge(&device, vec![log(FIRST, 6), log(SECOND, 7)]);
        assert_eq!(verdict.complaints, 1);
    }

    #[test]
    fn a_resync_without_need_is_found() {
        let mut device = device(None);
        let here = Position {
            epoch: FIRST,
            seq: 6,
        };
        device.resync(ResyncReason::EpochChanged, here);
        assert_eq!(judge(&device, vec![log(FIRST, 6)]).complaints, 1);
    }

    #[test]
    fn a_device_that_was_never_let_in_is_found() {
        let device = Transcript::new("device".to_owned(), HOUSE, None);
        assert!(!judge(&device, vec![log(FIRST, 6)]).is_clean());
    }
}

//! Who can be heard: this worker itself, and the others.
//!
//! A worker that hears its own beat knows that its way to the server and back is open. It does not
//! know whether the others' are: one that is cut off from the server goes on committing, and
//! nothing that it says gets here. So all beat on one channel, and when somebody who was heard goes
//! silent without a goodbye the rooms compare with the log as if the bus were down, until the
//! worker is heard again or has been silent for so long that it must be dead. Beats also tell who
//! is silent, for those who came later and have never heard him.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::bus::beat::{Beat, Silent, Way};

/// How many silent workers a beat names at most.
const MAX_NAMED: usize = 32;
/// How many of its own beats a worker remembers having sent.
const MAX_SENT: usize = 16;

/// When somebody counts as what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Without a beat for so long a worker is silent.
    pub(crate) silent_after: Duration,
    /// After so long in silence it is forgotten.
    pub(crate) forgotten_after: Duration,
    /// A beat that takes longer than this to come back travels on a slow bus.
    pub(crate) slow_from: Duration,
}

pub(crate) struct Peers {
    origin: u64,
    shards: u16,
    patience: Patience,
    number: u64,
    /// Own beats and when they were sent.
    sent: VecDeque<(u64, Instant)>,
    /// For each way of the present connection: when the own beat must be heard next.
    own_due: HashMap<Way, Option<Instant>>,
    first_due: Instant,
    last_own: Option<Instant>,
    /// Since when the own beat has been heard without a pause.
    steady_since: Option<Instant>,
    round_trip: Option<Duration>,
    others: HashMap<(u64, Way), Peer>,
    /// Another worker says that it has not heard this one for long, which has heard itself all the
    /// time.
    unheard: bool,
}

enum Peer {
    Heard { at: Instant, same_shards: bool },
    SaidGoodbye { at: Instant },
}

/// How it stands with being heard and hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Own beats are missing: the connection is dead, whatever the socket says.
    pub(crate) dead: bool,
    /// The own beat has come back on every way of this connection.
    pub(crate) open: bool,
    /// Everybody who was heard of late is heard, and in time.
    pub(crate) complete: bool,
}

impl Peers {
    pub(crate) fn new(origin: u64, shards: u16, patience: Patience) -> Self {
        Self {
            origin,
            shards,
            patience,
            number: 0,
            sent: VecDeque::new(),
            own_due: HashMap::new(),
            first_due: Instant::now(),
            last_own: None,
            steady_since: None,
            round_trip: None,
            others: HashMap::new(),
            unheard: false,
        }
    }

    /// A connection with these ways begins; the first beat has to be heard until `first_due`.
    pub(crate) fn begin(&mut self, ways: impl IntoIterator<Item = Way>, first_due: Instant) {
        self.own_due = ways.into_iter().map(|way| (way, None)).collect();
        self.first_due = first_due;
        self.steady_since = None;
        self.unheard = false;
        let own_due = &self.own_due;
        self.others.retain(|(_, way), _| own_due.contains_key(way));
    }

    /// The next beat to send.
    pub(crate) fn beat(&mut self, now: Instant, goodbye: bool) -> Beat {
        self.number += 1;
        self.sent.push_back((self.number, now));
        if self.sent.len() > MAX_SENT {
            self.sent.pop_front();
        }
        Beat {
            origin: self.origin,
            number: self.number,
            shards: self.shards,
            goodbye,
            silent: self.named(now),
        }
    }

    /// Those whom others should know to be silent. Not for long: who has only heard of it would
    /// otherwise pass it on, and nobody would ever forget.
    fn named(&self, now: Instant) -> Vec<Silent> {
        let silent = self.others.iter().filter_map(|(&(origin, way), peer)| {
            let for_ = now.saturating_duration_since(peer.heard_at()?);
            let named =
                for_ >= self.patience.silent_after && for_ < self.patience.forgotten_after / 2;
            let for_ms = u32::try_from(for_.as_millis()).ok()?;
            named.then_some(Silent {
                origin,
                way,
                for_ms,
            })
        });
        silent.take(MAX_NAMED).collect()
    }

    /// Takes a beat, the own one or another's.
    pub(crate) fn hear(&mut self, way: Way, beat: &Beat, now: Instant) {
        if beat.origin == self.origin {
            let sent = self.sent.iter().find(|(number, _)| *number == beat.number);
            let Some((_, sent)) = sent else { return };
            self.round_trip = Some(now.saturating_duration_since(*sent));
            let pause = self.last_own.map(|at| now.saturating_duration_since(at));
            if self.steady_since.is_none() || pause > Some(self.patience.silent_after) {
                self.steady_since = Some(now);
            }
            self.last_own = Some(now);
            if let Some(due) = self.own_due.get_mut(&way) {
                *due = Some(now + self.patience.silent_after);
            }
            return;
        }
        let peer = if beat.goodbye {
            Peer::SaidGoodbye { at: now }
        } else {
            Peer::Heard {
                at: now,
                same_shards: beat.shards == self.shards,
            }
        };
        self.others.insert((beat.origin, way), peer);
        for silent in &beat.silent {
            let for_ = Duration::from_millis(silent.for_ms.into());
            let Some(at) = now.checked_sub(for_) else {
                continue;
            };
            if silent.origin == self.origin {
                // Not when both of us were kept waiting, by a loaded machine or a slow server.
                self.unheard |= for_ >= self.patience.silent_after * 2
                    && self.steady_since.is_some_and(|since| since <= at);
            } else {
                // Only of those whom one does not know oneself.
                let known = self.others.entry((silent.origin, silent.way));
                known.or_insert(Peer::Heard {
                    at,
                    same_shards: true,
                });
            }
        }
    }

    pub(crate) fn standing(&mut self, now: Instant) -> Standing {
        let forgotten_after = self.patience.forgotten_after;
        self.others
            .retain(|_, peer| now.saturating_duration_since(peer.last_at()) < forgotten_after);
        let first_due = self.first_due;
        let strange = |peer: &Peer| {
            matches!(
                peer,
                Peer::Heard {
                    same_shards: false,
                    ..
                }
            )
        };
        Standing {
            dead: self
                .own_due
                .values()
                .any(|due| due.unwrap_or(first_due) <= now),
            open: self.own_due.values().all(Option::is_some),
            complete: self.silent(now) == 0
                && !self.others.values().any(strange)
                && self
                    .round_trip
                    .is_none_or(|took| took <= self.patience.slow_from),
        }
    }

    /// How many others were heard of late, those that are silent now included.
    pub(crate) fn heard(&self) -> usize {
        self.count(|_| true)
    }

    /// How many others are silent.
    pub(crate) fn silent(&self, now: Instant) -> usize {
        self.count(|at| now.saturating_duration_since(at) >= self.patience.silent_after)
    }

    /// Counts others by when they were last heard. One counts once, on however many ways.
    fn count(&self, which: impl Fn(Instant) -> bool) -> usize {
        let others = self.others.iter();
        let mut origins: Vec<u64> = others
            .filter(|(_, peer)| peer.heard_at().is_some_and(&which))
            .map(|(&(origin, _), _)| origin)
            .collect();
        origins.sort_unstable();
        origins.dedup();
        origins.len()
    }

    /// Whether another worker has said that it does not hear this one, since this was last asked.
    pub(crate) fn take_unheard(&mut self) -> bool {
        std::mem::take(&mut self.unheard)
    }

    pub(crate) fn last_own(&self) -> Option<Instant> {
        self.last_own
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}

impl Peer {
    fn heard_at(&self) -> Option<Instant> {
        match *self {
            Self::Heard { at, .. } => Some(at),
            Self::SaidGoodbye { .. } => None,
        }
    }

    fn last_at(&self) -> Instant {
        match *self {
            Self::Heard { at, .. } | Self::SaidGoodbye { at } => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        silent_after: Duration::from_secs(1),
        forgotten_after: Duration::from_secs(60),
        slow_from: Duration::from_millis(100),
    };

    fn peers(origin: u64, now: Instant) -> Peers {
        let mut peers = Peers::new(origin, 1, PATIENCE);
        peers.begin([0], now + Duration::from_secs(2));
        peers
    }

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    /// Its own beat, which took no time.
    fn keep_open(peers: &mut Peers, now: Instant) -> Beat {
        let beat = peers.beat(now, false);
        peers.hear(0, &beat, now);
        beat
    }

    #[test]
    fn the_own_beat_opens_and_its_absence_closes() {
        let start = Instant::now();
        let mut own = peers(1, start);
        let standing = own.standing(after(start, 1999));
        assert!(!standing.dead && !standing.open);
        assert!(own.standing(after(start, 2000)).dead, "never heard");
        keep_open(&mut own, after(start, 500));
        let standing = own.standing(after(start, 1499));
        assert!(!standing.dead && standing.open && standing.complete);
        assert!(own.standing(after(start, 1500)).dead);
    }

    #[test]
    fn every_way_counts() {
        let start = Instant::now();
        let mut own = peers(1, start);
        own.begin([3, 5], after(start, 2000));
        let beat = own.beat(start, false);
        own.hear(3, &beat, start);
        assert!(!own.standing(start).open);
        own.hear(5, &beat, start);
        assert!(own.standing(start).open);
        let beat = own.beat(after(start, 500), false);
        own.hear(3, &beat, after(start, 500));
        assert!(own.standing(after(start, 1100)).dead, "way 5 is silent");
    }

    #[test]
    fn a_slow_bus_is_incomplete() {
        let start = Instant::now();
        let mut own = peers(1, start);
        let beat = own.beat(start, false);
        own.hear(0, &beat, after(start, 150));
        let standing = own.standing(after(start, 150));
        assert!(standing.open && !standing.complete);
        keep_open(&mut own, after(start, 500));
        assert!(own.standing(after(start, 500)).complete);
    }

    #[test]
    fn who_goes_silent_is_missed_until_forgotten() {
        let start = Instant::now();
        let (mut own, mut other) = (peers(1, start), peers(2, start));
        own.hear(0, &other.beat(start, false), start);
        for (ms, complete) in [(900, true), (1000, false), (59_000, false), (60_000, true)] {
            keep_open(&mut own, after(start, ms));
            assert_eq!(own.standing(after(start, ms)).complete, complete, "{ms}");
        }
        let now = after(start, 70_000);
        own.hear(0, &other.beat(now, false), now);
        own.hear(0, &other.beat(now, true), now);
        assert_eq!(own.silent(after(now, 5000)), 0, "it said goodbye");
    }

    #[test]
    fn others_tell_who_is_silent() {
        let start = Instant::now();
        let (mut first, mut second, mut late) = (peers(1, start), peers(2, start), peers(3, start));
        first.hear(0, &second.beat(start, false), start);
        let now = after(start, 5000);
        late.hear(0, &first.beat(now, false), now);
        assert_eq!(late.silent(now), 1);
        // Heard from each other again and again, it is still forgotten.
        let mut now = now;
        for _ in 0..200 {
            now = after(now, 500);
            let (one, other) = (first.beat(now, false), late.beat(now, false));
            first.hear(0, &other, now);
            late.hear(0, &one, now);
            first.standing(now);
            late.standing(now);
        }
        assert_eq!((first.silent(now), late.silent(now)), (0, 0));
    }

    #[test]
    fn who_is_not_heard_is_told() {
        let start = Instant::now();
        let (mut first, mut second) = (peers(1, start), peers(2, start));
        first.hear(0, &second.beat(start, false), start);
        for (ms, told) in [(0, false), (900, false), (1800, false), (2700, true)] {
            let now = after(start, ms);
            keep_open(&mut second, now);
            second.hear(0, &first.beat(now, false), now);
            assert_eq!(second.take_unheard(), told, "{ms}");
        }
        // Who has not heard himself either knows why.
        let now = after(start, 4000);
        keep_open(&mut second, now);
        second.hear(0, &first.beat(now, false), now);
        assert!(!second.take_unheard());
    }

    #[test]
    fn workers_that_count_other_servers_do_not_reach_each_other() {
        let start = Instant::now();
        let (mut own, mut other) = (peers(1, start), Peers::new(2, 3, PATIENCE));
        keep_open(&mut own, start);
        own.hear(0, &other.beat(start, false), start);
        assert!(!own.standing(start).complete);
        own.hear(0, &other.beat(start, true), start);
        assert!(own.standing(start).complete);
    }
}

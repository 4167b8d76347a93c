//! The end of one restaurant's log as this worker knows it. Pure: no locks, no clock, no I/O.

use std::collections::BTreeMap;

use uuid::Uuid;
use wire::live::events::EventKind;
use wire::{Epoch, Position, Seq};

use crate::config::HubConfig;
use crate::event::Event;
use crate::log::{Head, Page};
use crate::ring::Ring;

/// After how many fresh answers in a row that contradict what was delivered the log is believed
/// rather than the memory.
const CONTRADICTIONS: u32 = 3;

/// The recent events up to `cursor`, and what is known of those beyond it.
///
/// `cursor` is the last event delivered. It moves by exactly one event at a time, except where
/// sessions are told: a new [`generation`](Mark), or pruned events that nobody can deliver.
#[derive(Debug)]
pub(crate) struct Window {
    epoch: Epoch,
    generation: u64,
    cursor: Seq,
    /// The highest number known to exist. Above the cursor: events are missing.
    known_head: Seq,
    pruned: Seq,
    ring: Ring,
    /// Events beyond a gap. Only a shortcut: what does not fit is read from the log.
    pending: BTreeMap<Seq, Event>,
    pending_bytes: usize,
    max_pending: usize,
    max_pending_bytes: usize,
    contradictions: u32,
    /// An event came again with another content: one of the two never was, or is no more.
    forked: bool,
    /// An erasure came, and has not been seen to.
    erased: bool,
}

/// A place in a window's life: where a session stands, or where the room stood when a question was
/// asked, so that the answer can be judged by what was known then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Counts renewals and rewinds. Who holds another one has to take a snapshot.
    pub(crate) generation: u64,
    pub(crate) epoch: Epoch,
    pub(crate) seq: Seq,
}

impl Mark {
    /// Before anything is known.
    pub(crate) const START: Self = Self {
        generation: 0,
        epoch: Epoch(Uuid::nil()),
        seq: 0,
    };

    pub(crate) fn position(self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
        }
    }
}

/// What something new means for the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// There is something for the sessions.
    pub(crate) wake: bool,
    /// The log has to be asked for its head.
    pub(crate) verify: bool,
    /// The generation changed.
    pub(crate) renewed: bool,
    /// What was read from the log before may have values in it that have been erased since.
    pub(crate) erased: bool,
    /// The restaurant is not in the log any more.
    pub(crate) gone: bool,
}

impl Effect {
    const NONE: Self = Self {
        wake: false,
        verify: false,
        renewed: false,
        erased: false,
        gone: false,
    };
}

impl Window {
    /// A window on the log whose end `page` is.
    pub(crate) fn open(config: &HubConfig, page: Page) -> Self {
        let mut ring = Ring::new(config.ring_events, config.ring_bytes);
        page.events.into_iter().for_each(|event| ring.push(event));
        if ring.last().is_some_and(|e| e.seq != page.head.last_seq) {
            ring.clear();
        }
        Self {
            epoch: page.head.epoch,
            generation: 0,
            cursor: page.head.last_seq,
            known_head: page.head.last_seq,
            pruned: page.head.pruned_seq,
            ring,
            pending: BTreeMap::new(),
            pending_bytes: 0,
            max_pending: config.pending_events,
            max_pending_bytes: config.ring_bytes,
            contradictions: 0,
            forked: false,
            erased: false,
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            generation: self.generation,
            epoch: self.epoch,
            seq: self.cursor,
        }
    }

    pub(crate) fn known_head(&self) -> Seq {
        self.known_head
    }

    pub(crate) fn pruned(&self) -> Seq {
        self.pruned
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.known_head > self.cursor
    }

    /// The events from `seq` on, if they are still here.
    pub(crate) fn recent(&self, seq: Seq) -> Option<impl Iterator<Item = &Event>> {
        self.ring.from(seq)
    }

    /// Takes events from a commit, here or on another worker, in any order and any number of times.
    pub(crate) fn offer(&mut self, epoch: Epoch, events: &[Event]) -> Effect {
        if epoch != self.epoch {
            return self.foreign(epoch);
        }
        let before = self.cursor;
        for event in events {
            self.take(event.clone());
        }
        Effect {
            wake: self.cursor > before,
            verify: self.forked,
            erased: std::mem::take(&mut self.erased),
            ..Effect::NONE
        }
    }

    /// Takes the news that `seq` exists.
    pub(crate) fn hint(&mut self, epoch: Epoch, seq: Seq) -> Effect {
        if epoch != self.epoch {
            return self.foreign(epoch);
        }
        self.known_head = self.known_head.max(seq);
        Effect::NONE
    }

    /// A message alone does not renew the epoch: the log is asked. Older epochs are over.
    fn foreign(&self, epoch: Epoch) -> Effect {
        Effect {
            verify: epoch > self.epoch,
            ..Effect::NONE
        }
    }

    /// Takes the head that the log answered to a question asked at `asked`.
    ///
    /// Within an epoch the log of a primary never goes back, and epochs only get younger. An
    /// answer that says otherwise is asked again; when it persists, the log lost its end without
    /// a new epoch (or with one from a clock that runs behind), and sessions have to be told.
    pub(crate) fn observe(&mut self, head: Head, asked: Mark) -> Effect {
        if asked.generation != self.generation {
            return Effect::NONE;
        }
        if head.epoch > self.epoch || (self.forked && head.epoch == self.epoch) {
            return self.renew(head);
        }
        if head.epoch < self.epoch || head.last_seq < asked.seq {
            self.contradictions += 1;
            if self.contradictions >= CONTRADICTIONS {
                return self.renew(head);
            }
            return Effect {
                verify: true,
                ..Effect::NONE
            };
        }
        self.contradictions = 0;
        self.pruned = self.pruned.max(head.pruned_seq);
        self.known_head = self.known_head.max(head.last_seq);
        Effect::NONE
    }

    /// Takes the news that the log does not know the restaurant.
    pub(crate) fn observe_nothing(&mut self) -> Effect {
        self.contradictions += 1;
        Effect {
            verify: true,
            gone: self.contradictions >= CONTRADICTIONS,
            ..Effect::NONE
        }
    }

    /// Takes a page that was read after `asked`.
    pub(crate) fn fill(&mut self, page: Page, asked: Mark) -> Effect {
        if page.head.epoch != self.epoch || asked.generation != self.generation {
            return self.observe(page.head, asked);
        }
        let before = self.cursor;
        let mut effect = self.observe(page.head, asked);
        if self.cursor < page.head.pruned_seq {
            // Sessions find out for themselves: what they ask the log for is pruned.
            effect.erased |= self.skip(page.head).erased;
        }
        for event in page.events {
            self.take(event);
        }
        effect.wake |= self.cursor > before;
        effect.verify |= self.forked;
        effect.erased |= std::mem::take(&mut self.erased);
        effect
    }

    /// Gives up what lies between the cursor and the log's head.
    pub(crate) fn skip(&mut self, head: Head) -> Effect {
        if head.epoch != self.epoch || head.last_seq <= self.cursor {
            return Effect::NONE;
        }
        self.ring.clear();
        self.pruned = self.pruned.max(head.pruned_seq);
        self.cursor = head.last_seq;
        self.known_head = self.known_head.max(self.cursor);
        self.drain_pending();
        self.erased = false;
        Effect {
            wake: true,
            // One of those that were skipped may have been an erasure.
            erased: true,
            ..Effect::NONE
        }
    }

    /// Forgets what was announced beyond the cursor but is not in the log.
    pub(crate) fn forget_announced(&mut self) -> Effect {
        self.pending.clear();
        self.pending_bytes = 0;
        self.known_head = self.cursor;
        Effect::NONE
    }

    fn renew(&mut self, head: Head) -> Effect {
        self.epoch = head.epoch;
        self.generation += 1;
        self.cursor = head.last_seq;
        self.pruned = head.pruned_seq;
        self.ring.clear();
        self.forget_announced();
        self.contradictions = 0;
        self.forked = false;
        Effect {
            wake: true,
            renewed: true,
            ..Effect::NONE
        }
    }

    fn take(&mut self, event: Event) {
        if event.seq <= self.cursor {
            // The same event twice is everyday life. The same number with other content is a log
            // that was rewound and has grown again.
            self.forked |= self
                .ring
                .get(event.seq)
                .is_some_and(|delivered| !delivered.is_same(&event));
        } else if event.seq == self.cursor + 1 {
            self.push(event);
            self.drain_pending();
        } else {
            self.known_head = self.known_head.max(event.seq);
            self.put_aside(event);
        }
    }

    fn push(&mut self, event: Event) {
        self.cursor = event.seq;
        self.known_head = self.known_head.max(event.seq);
        self.erased |= event.kind == EventKind::PersonErased;
        self.ring.push(event);
    }

    /// When too much is put aside, the farthest is dropped: it would be of use last.
    fn put_aside(&mut self, event: Event) {
        self.pending_bytes += event.weight();
        if let Some(twin) = self.pending.insert(event.seq, event) {
            self.pending_bytes -= twin.weight();
        }
        while self.pending.len() > self.max_pending || self.pending_bytes > self.max_pending_bytes {
            let Some((_, farthest)) = self.pending.pop_last() else {
                break;
            };
            self.pending_bytes -= farthest.weight();
        }
    }

    fn drain_pending(&mut self) {
        while let Some(entry) = self.pending.first_entry() {
            if *entry.key() > self.cursor + 1 {
                break;
            }
            let event = entry.remove();
            self.pending_bytes -= event.weight();
            if event.seq > self.cursor {
                self.push(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{config, epoch, event, page};

    fn window(last_seq: Seq) -> Window {
        Window::open(&config(), page(epoch(2), last_seq, 0, []))
    }

    fn head(e: u128, last_seq: Seq) -> Head {
        page(epoch(e), last_seq, 0, []).head
    }

    #[test]
    fn opens_at_the_head_with_what_leads_up_to_it() {
        let window = Window::open(&config(), page(epoch(2), 5, 0, [3, 4, 5]));
        assert_eq!(window.mark().seq, 5);
        assert!(window.recent(3).is_some() && window.recent(2).is_none());
        let window = Window::open(&config(), page(epoch(2), 5, 0, [2, 3]));
        assert!(window.recent(3).is_none(), "does not lead up to it");
    }

    #[test]
    fn answers_to_questions_from_another_life_are_not_heard() {
        let mut window = window(5);
        let asked = window.mark();
        assert!(window.observe(head(3, 4), asked).renewed);
        let renewed = window.mark();
        for late in [head(2, 9), head(3, 9), head(4, 1)] {
            assert_eq!(window.observe(late, asked), Effect::NONE);
        }
        let late = page(epoch(3), 9, 0, [5, 6, 7, 8, 9]);
        assert_eq!(window.fill(late, asked), Effect::NONE);
        assert_eq!((window.mark(), window.is_behind()), (renewed, false));
    }

    #[test]
    fn an_event_without_its_values_is_the_same_event() {
        let said = |at: &str, data: &str| {
            let mut event = event(6);
            event.frame = format!("{{\"seq\":6,\"at\":\"{at}\",\"data\":{data}}}").into();
            event
        };
        let mut window = window(5);
        window.offer(epoch(2), &[said("noon", "{\"name\":\"Ann\"}")]);
        assert!(!window.offer(epoch(2), &[said("noon", "{}")]).verify);
        assert!(window.offer(epoch(2), &[said("night", "{}")]).verify);
    }

    #[test]
    fn contradictions_count_only_in_a_row() {
        let mut window = window(5);
        let asked = window.mark();
        for _ in 0..5 {
            for _ in 1..CONTRADICTIONS {
                assert!(window.observe(head(2, 4), asked).verify);
            }
            assert_eq!(window.observe(head(2, 5), asked), Effect::NONE);
        }
        for _ in 1..CONTRADICTIONS {
            assert!(window.observe(head(1, 9), asked).verify);
        }
        assert!(window.observe(head(1, 9), asked).renewed);
    }

    #[test]
    fn what_is_put_aside_is_bounded_and_the_nearest_is_kept() {
        let mut config = config();
        config.pending_events = 2;
        let mut window = Window::open(&config, page(epoch(2), 0, 0, []));
        window.offer(
            epoch(2),
            &[event(5), event(3), event(9), event(2), event(3)],
        );
        assert_eq!(window.pending.keys().copied().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(window.known_head(), 9);
        let weight: usize = window.pending.values().map(Event::weight).sum();
        assert_eq!(window.pending_bytes, weight);
        assert!(window.offer(epoch(2), &[event(1)]).wake);
        assert_eq!((window.mark().seq, window.pending_bytes), (3, 0));
        assert!(window.is_behind());
    }
}

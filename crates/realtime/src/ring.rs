//! The recent events of a room, bounded by number and by bytes.

use std::collections::VecDeque;

use wire::Seq;
use wire::live::events::EventKind;

use crate::event::Event;

/// Events with consecutive numbers, the newest at the back. The newest is kept whatever its size,
/// so that a reader who stands just before it never needs the log.
#[derive(Debug)]
pub(crate) struct Ring {
    events: VecDeque<Event>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl Ring {
    pub(crate) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            max_events,
            max_bytes,
        }
    }

    /// Appends an event. One that does not follow on the last makes the ring begin anew; so does an
    /// erasure: who stands before it reads from the log, which no longer has what was erased.
    pub(crate) fn push(&mut self, event: Event) {
        let follows = self.last().is_none_or(|last| last.seq + 1 == event.seq);
        if !follows || event.kind == EventKind::PersonErased {
            self.clear();
        }
        self.bytes += event.weight();
        self.events.push_back(event);
        while self.events.len() > 1
            && (self.events.len() > self.max_events || self.bytes > self.max_bytes)
        {
            if let Some(oldest) = self.events.pop_front() {
                self.bytes -= oldest.weight();
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    pub(crate) fn last(&self) -> Option<&Event> {
        self.events.back()
    }

    pub(crate) fn get(&self, seq: Seq) -> Option<&Event> {
        self.events.get(self.index(seq)?)
    }

    /// The events from `seq` on; `None` when `seq` is not (or no longer) here.
    pub(crate) fn from(&self, seq: Seq) -> Option<impl Iterator<Item = &Event>> {
        let index = self.index(seq)?;
        (index < self.events.len()).then(|| self.events.range(index..))
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        usize::try_from(seq - self.events.front()?.seq).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::event;

    fn seqs(ring: &Ring, from: Seq) -> Option<Vec<Seq>> {
        Some(ring.from(from)?.map(|event| event.seq).collect())
    }

    #[test]
    fn keeps_the_newest_by_number() {
        let mut ring = Ring::new(3, usize::MAX);
        assert_eq!(seqs(&ring, 1), None);
        (1..=5).for_each(|seq| ring.push(event(seq)));
        assert_eq!(seqs(&ring, 2), None);
        assert_eq!(seqs(&ring, 3), Some(vec![3, 4, 5]));
        assert_eq!(seqs(&ring, 5), Some(vec![5]));
        assert_eq!(seqs(&ring, 6), None);
        assert_eq!(ring.get(4), Some(&event(4)));
        assert_eq!(ring.get(2), None);
    }

    #[test]
    fn keeps_the_newest_by_bytes_and_at_least_one() {
        let weight = event(1).weight();
        let mut ring = Ring::new(10, 2 * weight);
        (1..=3).for_each(|seq| ring.push(event(seq)));
        assert_eq!(seqs(&ring, 2), Some(vec![2, 3]));
        let mut ring = Ring::new(10, 1);
        (1..=3).for_each(|seq| ring.push(event(seq)));
        assert_eq!(seqs(&ring, 3), Some(vec![3]));
        assert_eq!(ring.bytes, weight);
    }

    #[test]
    fn begins_anew_with_an_erasure() {
        let mut ring = Ring::new(10, usize::MAX);
        (1..=3).for_each(|seq| ring.push(event(seq)));
        let mut erasure = event(4);
        erasure.kind = EventKind::PersonErased;
        ring.push(erasure);
        ring.push(event(5));
        assert_eq!(seqs(&ring, 3), None);
        assert_eq!(seqs(&ring, 4), Some(vec![4, 5]));
    }

    #[test]
    fn never_holds_a_gap() {
        let mut ring = Ring::new(10, usize::MAX);
        ring.push(event(1));
        ring.push(event(5));
        assert_eq!(seqs(&ring, 1), None);
        assert_eq!(seqs(&ring, 5), Some(vec![5]));
    }
}

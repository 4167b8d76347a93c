//! What is carried: events with their frames, grouped by the transaction that made them.

use bytestring::ByteString;
use wire::live::events::{EventKind, split_data};
use wire::{Audience, Epoch, RestaurantId, Seq};

use crate::bus::Hint;
use crate::trace::Traced;

/// One event of a restaurant's log.
///
/// The frames are the bytes that the log stores. They were serialized once, when the event was
/// written, and are only ever copied by reference from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the restaurant's log.
    pub seq: Seq,
    /// What happened to what; sessions may ask for some kinds only.
    pub kind: EventKind,
    /// What staff hears: JSON text.
    pub frame: ByteString,
    /// What the public hears, if it hears anything.
    pub public_frame: Option<ByteString>,
}

impl Event {
    /// What `audience` hears of it.
    #[must_use]
    pub fn frame_for(&self, audience: Audience) -> Option<&ByteString> {
        match audience {
            Audience::Staff => Some(&self.frame),
            Audience::Public => self.public_frame.as_ref(),
        }
    }

    /// Whether another event of the same number is this one. An erasure takes values out of an
    /// event's data, and leaves its envelope as it was.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let envelope = |event: &Self| split_data(&event.frame).map(|(envelope, _)| envelope.len());
        self.frame == other.frame
            || envelope(self).is_some_and(|length| {
                envelope(other) == Some(length)
                    && self.frame.get(..length) == other.frame.get(..length)
            })
    }

    /// How much memory it holds on to, roughly.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.frame.len() + self.public_frame.as_ref().map_or(0, |f| f.len())
    }
}

/// The events of one committed transaction; their numbers follow on each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// In whose log they stand.
    pub restaurant_id: RestaurantId,
    /// The life of the log in which they were numbered.
    pub epoch: Epoch,
    /// When COMMIT was confirmed, in Unix milliseconds by the clock of the worker that wrote them.
    pub committed_at_ms: u64,
    /// The events, in order.
    pub events: Vec<Event>,
    /// Its place in a trace, if one is kept.
    pub traced: Option<Box<Traced>>,
}

impl Commit {
    /// The numbers of its first and last event; `None` when it has none.
    #[must_use]
    pub fn range(&self) -> Option<(Seq, Seq)> {
        Some((self.events.first()?.seq, self.events.last()?.seq))
    }

    /// The news that its last event exists; `None` when it has none.
    pub(crate) fn hint(&self) -> Option<Hint> {
        Some(Hint {
            restaurant_id: self.restaurant_id,
            epoch: self.epoch,
            seq: self.events.last()?.seq,
            committed_at_ms: self.committed_at_ms,
        })
    }
}

//! What is carried: events with their frames, grouped by the transaction that made them.

use std::sync::Arc;

use bytestring::ByteString;
use wire::live::events::{EventKind, split_data};
use wire::{Epoch, RestaurantId, RootId, Seq};

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
    /// What those hear who follow a thing by itself, if it concerns any.
    pub own: Option<Arc<Own>>,
}

/// What those hear of an event who follow a thing of their own. At least one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// What is heard by those whose thing it concerns now.
    pub now: Option<Told>,
    /// What is heard by those whose thing it concerned until now, and does no more.
    pub left: Option<Told>,
}

/// A frame, and who hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who follows one of these.
    pub roots: Box<[RootId]>,
    /// JSON text.
    pub frame: ByteString,
}

impl Own {
    /// Every thing whose followers hear something.
    pub(crate) fn roots(&self) -> impl Iterator<Item = RootId> {
        let told = self.now.iter().chain(&self.left);
        told.flat_map(|told| told.roots.iter().copied())
    }

    /// What somebody hears who follows these. Who has one that it still concerns has not lost it.
    pub(crate) fn frame_for(&self, followed: &[RootId]) -> Option<&ByteString> {
        let told = self.now.iter().chain(&self.left);
        let mut heard = told.filter(|told| told.roots.iter().any(|root| followed.contains(root)));
        heard.next().map(|told| &told.frame)
    }

    fn weight(&self) -> usize {
        let told = self.now.iter().chain(&self.left);
        let weights = told.map(|told| size_of_val(&*told.roots) + told.frame.len());
        size_of::<Self>() + weights.sum::<usize>()
    }
}

impl Event {
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
        let public = self.public_frame.as_ref().map_or(0, |frame| frame.len());
        let own = self.own.as_ref().map_or(0, |own| own.weight());
        size_of::<Self>() + self.frame.len() + public + own
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

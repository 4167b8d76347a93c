//! What a device heard, in the order in which it heard it.

use std::time::Instant;

use wire::live::events::EventKind;
use wire::live::frames::ResyncReason;
use wire::{Epoch, Position, RestaurantId, Seq};

use crate::floor_state::Picture;

/// Everything that one device heard of one restaurant, over all its connections.
#[derive(Debug)]
pub(crate) struct Transcript {
    /// Which device.
    pub(crate) name: String,
    /// What it followed.
    pub(crate) restaurant: RestaurantId,
    /// Only these kinds.
    pub(crate) filter: Option<Vec<EventKind>>,
    /// Unbroken stretches: a new one begins with the first connection and with every resync.
    pub(crate) spans: Vec<Span>,
    /// The snapshots that were taken after resyncs.
    pub(crate) pictures: Vec<Picture>,
    /// What the server said or did that the contract forbids.
    pub(crate) complaints: Vec<String>,
    /// Resyncs that were asked for.
    pub(crate) resyncs: u64,
    /// Connections that were opened.
    pub(crate) connections: u64,
}

/// A stretch in which nothing may be missing, however often the device came and went.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// In which life of the log.
    pub(crate) epoch: Epoch,
    /// It begins after this event.
    pub(crate) start: Seq,
    /// The device's position: the last event, or the server's word if that is larger.
    pub(crate) reached: Seq,
    /// What was heard.
    pub(crate) heard: Vec<Heard>,
}

/// One thing that was heard.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard {
    /// An event.
    Event {
        seq: Seq,
        /// Of its bytes.
        hash: u64,
        /// When it was heard.
        at: Instant,
        /// Since when the device had been connected and listening.
        ready: Instant,
    },
    /// The server's word that everything up to here has been said.
    Position(Seq),
}

impl Transcript {
    /// Nothing heard yet.
    pub(crate) fn new(
        name: String,
        restaurant: RestaurantId,
        filter: Option<Vec<EventKind>>,
    ) -> Self {
        Self {
            name,
            restaurant,
            filter,
            spans: Vec::new(),
            pictures: Vec::new(),
            complaints: Vec::new(),
            resyncs: 0,
            connections: 0,
        }
    }

    /// Begins a stretch at a position.
    pub(crate) fn begin(&mut self, Position { epoch, seq }: Position) {
        self.spans.push(Span {
            epoch,
            start: seq,
            reached: seq,
            heard: Vec::new(),
        });
    }

    /// Takes a `resync_required`, which must have a reason that holds: nothing is pruned while this
    /// runs, and every position was given with its epoch.
    pub(crate) fn resync(&mut self, reason: ResyncReason, position: Position) {
        self.resyncs += 1;
        let before = self.spans.last().map(|span| span.epoch);
        if reason != ResyncReason::EpochChanged || before == Some(position.epoch) {
            self.complain(format!(
                "resync_required without need: {reason}, to {position}"
            ));
        }
        self.begin(position);
    }

    /// Notes something that the contract forbids.
    pub(crate) fn complain(&mut self, what: String) {
        self.complaints.push(format!("{}: {what}", self.name));
    }

    /// Notes what was heard.
    pub(crate) fn hear(&mut self, heard: Heard) {
        match self.spans.last_mut() {
            Some(span) => {
                span.reached = span.reached.max(heard.seq());
                span.heard.push(heard);
            }
            None => self.complain("something was said before the first frame".to_owned()),
        }
    }

    /// Where the device stands.
    pub(crate) fn position(&self) -> Option<Position> {
        let span = self.spans.last()?;
        Some(Position {
            epoch: span.epoch,
            seq: span.reached,
        })
    }
}

impl Heard {
    /// The number of the event or position.
    pub(crate) const fn seq(&self) -> Seq {
        match self {
            Self::Event { seq, .. } | Self::Position(seq) => *seq,
        }
    }
}

//! How a commit is followed from the worker that wrote it to those that relay it.
//!
//! Nothing here knows a system of traces: the server makes the spans. A commit of which no trace is
//! kept carries a null pointer, costs nothing more, and its message has no byte more.

use serde::{Deserialize, Serialize};
use tracing::Span;
use wire::{RestaurantId, Seq};

/// A span's place in its trace: what W3C's `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePlace {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span in it.
    pub span_id: [u8; 8],
    /// `trace-flags`.
    pub flags: u8,
}

/// What a commit carries when its trace is kept.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The parent of what other workers do with it.
    pub place: TracePlace,
    /// The span of the publishing. It ends when the bus has confirmed the message or given it up,
    /// and there is none at the workers that receive it.
    pub span: Span,
}

impl Traced {
    /// As it arrives at another worker.
    pub(crate) fn from_afar(place: TracePlace) -> Self {
        Self {
            place,
            span: Span::none(),
        }
    }
}

/// Two of the same place are the same, wherever they are.
impl PartialEq for Traced {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Traced {}

/// A commit whose frames are handed to a room.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    /// The span of the publishing.
    pub parent: TracePlace,
    /// Whose room.
    pub restaurant_id: RestaurantId,
    /// The first and the last event.
    pub range: (Seq, Seq),
    /// How many sessions follow it here.
    pub sessions: usize,
    /// How long ago it was committed, in milliseconds, by the clocks of two workers.
    pub behind_ms: u64,
}

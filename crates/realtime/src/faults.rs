//! Faults on purpose, for builds with the feature `faults`: a test of the whole that cannot fail
//! proves nothing. Each breaks one of the two nets under the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::Commit;

/// Which net has a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Rooms are never compared with the log: a last message that was lost stays lost.
    SkipHeadComparison,
    /// Of a hundred transactions of other workers that come by the bus, the room takes one for
    /// delivered without delivering it, and so never reads it from the log.
    DropOneInAHundred,
}

impl Fault {
    /// Each with the word by which it is asked for.
    pub const ALL: [(&str, Self); 2] = [
        ("skip_head_comparison", Self::SkipHeadComparison),
        (
            "drop_one_in_a_hundred_without_gap_filling",
            Self::DropOneInAHundred,
        ),
    ];
}

/// Counts what is received, and drops what is to be dropped.
#[derive(Debug, Default)]
pub(crate) struct Dropper(AtomicU64);

impl Dropper {
    /// The commit, or one in its place that sessions step over: its frames are empty.
    pub(crate) fn receive(&self, fault: Option<Fault>, commit: Arc<Commit>) -> Arc<Commit> {
        let drops = fault == Some(Fault::DropOneInAHundred)
            && self.0.fetch_add(1, Ordering::Relaxed) % 100 == 99;
        if !drops {
            return commit;
        }
        let mut nothing = Commit::clone(&commit);
        for event in &mut nothing.events {
            event.frame = Default::default();
            event.public_frame = None;
        }
        Arc::new(nothing)
    }
}

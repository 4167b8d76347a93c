//! Who may hear an event.

use serde::{Deserialize, Serialize};

/// The part of a restaurant's log that a room hears.
///
/// Staff hears every event in full. Everybody else hears only what an event shows the public: its
/// smaller, public frame, and nothing of an event that has none; who follows a thing of their own
/// hears of that thing, in a frame that is made for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Audience {
    /// Members of the restaurant.
    Staff,
    /// Anybody.
    Public,
    /// Somebody who follows things of their own: see [`RootId`](crate::RootId).
    Own,
}

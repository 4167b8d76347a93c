//! The event log: what happened in a restaurant, numbered in the order of commits.

mod append;
mod delta;
mod own;
mod prune;
mod read;
mod state;
mod topics;

pub(crate) use append::append;
pub use delta::delta;
pub use own::{OwnFrames, Told};
pub use prune::prune;
pub(crate) use read::lock_head;
pub use read::{Head, LogPage, LoggedEvent, head, heads, read, tail};
pub(crate) use state::state_at;
pub(crate) use topics::Topics;

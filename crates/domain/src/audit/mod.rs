//! The audit: who changed what, when, from which device. Append-only, which the database sees to.
//!
//! Entries are written by the statement that appends the events, so a change, its event and its
//! entry are there together or not at all, and cost no round trip of their own. An entry has the
//! fields that differ rather than two whole states: that is what a reader looks for, a fifth of
//! the bytes, and no copy of a guest's telephone number each time that the guest moves. `version`
//! and `lastUpdated` always differ and are left out; the entry has its own number and time.
//!
//! Kept slots ([`crate::floor::holds`]) are not in it: they are nobody's, and over in minutes.

mod difference;
mod entries;
mod list;
mod prune;

pub(crate) use entries::{Entry, Rows, record};
pub use list::list;
pub(crate) use list::{EntryRow, actor_names};
pub use prune::prune;

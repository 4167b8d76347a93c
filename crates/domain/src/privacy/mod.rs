//! The rights of a person: everything that is kept about them is handed out, or erased.
//!
//! A person is a telephone number or an address; theirs are the parties and bookings that have it,
//! have had it as far as the log and the audit reach, or belong to one that does. What an erasure
//! takes away are values (`redact.rs`); what happened, when and at which table stays, and so do the
//! numbers of events. Where values live is one list, [`places()`], which a test compares with the
//! database; what the fields of documents tell of a person is said by the rows of entities
//! ([`wire::personal`]). Workers drop what they hold in memory when they deliver the erasure's event, and serve
//! who comes back from the log.
//!
//! No digest of the number or address is kept, with a key or without: whoever has the key could
//! try all numbers. That somebody asks again shows in that nothing is found.

mod erase;
mod export;
mod find;
mod person;
mod places;
mod redact;
pub(crate) mod things;
mod told;

pub use erase::erase;
pub use export::{export, note_export};
pub(crate) use places::PLACES;
pub use places::{Holds, Place, places};

/// What somebody is called whose name was erased.
pub(crate) const NOBODY: &str = "Guest";

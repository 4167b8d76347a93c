//! The floor: guests, tables, the snapshot.

pub mod guests;
pub mod snapshot;
pub mod tables;

//! The floor: guests, tables, the snapshot.

pub mod dashboard;
pub mod guests;
pub mod snapshot;
pub mod sync;
pub mod tables;

//! The floor: guests, tables, and the snapshot of both.

pub mod guests;
pub mod snapshot;
pub mod tables;

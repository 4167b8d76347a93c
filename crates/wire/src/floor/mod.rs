//! The floor: guests, tables, reservations, and the snapshot of all.

pub mod availability;
pub mod guests;
pub mod reservations;
pub mod snapshot;
pub mod tables;

//! The floor: guests, tables, reservations, the snapshot.

pub mod availability;
pub mod dashboard;
pub mod guests;
pub mod holds;
pub mod refusals;
pub mod reservations;
pub mod snapshot;
pub mod tables;
mod tag;
mod view;
pub mod waitlist;

pub use tag::FloorTag;

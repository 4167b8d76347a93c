//! The floor: guests, tables, reservations, the snapshot.

pub mod atomic;
pub mod availability;
pub mod batch;
pub mod dashboard;
pub mod guests;
pub mod holds;
mod items;
pub mod reservations;
pub mod snapshot;
pub mod sync;
pub mod tables;
mod tag;
mod view;
pub mod waitlist;

pub use tag::FloorTag;

//! The floor: guests, tables, reservations, the snapshot.

pub mod availability;
pub mod dashboard;
pub mod guests;
pub mod holds;
pub mod reservations;
mod routes;
pub mod snapshot;
pub mod tables;
mod tag;
mod view;
pub mod waitlist;

pub use routes::routes;
pub use tag::FloorTag;

//! The floor: guests, tables, reservations, the snapshot.

pub mod availability;
pub mod dashboard;
pub mod guests;
pub mod holds;
pub mod metrics;
pub mod own;
pub mod reservations;
mod routes;
pub mod snapshot;
pub mod tables;
mod view;
pub mod waitlist;

pub use routes::routes;

crate::platform::reply::versioned!(
    wire::floor::guests::Guest,
    wire::floor::reservations::Reservation,
    wire::floor::tables::Table,
);

//! The floor: guests, tables, reservations.

pub mod availability;
pub mod dashboard;
pub mod guests;
pub mod reservations;
pub mod settings;
pub mod snapshot;
pub mod tables;
pub mod waitlist;

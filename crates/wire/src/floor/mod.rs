//! The floor: guests, tables, reservations, and the ways to read and change several at once.

pub mod atomic;
pub mod availability;
pub mod batch;
pub mod dashboard;
pub mod guests;
pub mod reservations;
pub mod snapshot;
pub mod sync;
pub mod tables;
pub mod waitlist;

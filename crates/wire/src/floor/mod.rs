//! The floor: guests, tables, and the ways to read and change several of them at once.

pub mod atomic;
pub mod batch;
pub mod dashboard;
pub mod guests;
pub mod snapshot;
pub mod sync;
pub mod tables;

//! The floor: guests, tables, the snapshot.

pub mod atomic;
pub mod batch;
pub mod dashboard;
pub mod guests;
mod items;
pub mod snapshot;
pub mod sync;
pub mod tables;

//! Several changes in one request: all or nothing, one by one, or what a device queued offline.

pub mod atomic;
pub mod batch;
pub mod sync;

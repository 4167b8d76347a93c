//! Several changes in one transaction: batches, transactions of clients, offline queues.

pub mod atomic;
pub mod batch;
pub mod changes;
pub mod kinds;
pub(crate) mod locks;
pub(crate) mod present;
pub mod sync;

//! The event log: numbers in the order of commits, one event per entity and transaction, reading,
//! forgetting.

mod entities;
mod numbers;
mod pruning;
mod reading;
mod topics;

//! Transactions that go wrong: conflicts, callers that leave, connections that die, and houses that
//! want all of them.

mod bulkheads;
mod cancelled;
mod commits;
mod conflicts;
mod connections;
mod lookout;
mod parts;
mod prepared;
mod silence;

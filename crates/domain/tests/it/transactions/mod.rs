//! Transactions that go wrong: conflicts, callers that leave, connections that die.

mod cancelled;
mod commits;
mod conflicts;
mod connections;
mod parts;
mod prepared;
mod silence;

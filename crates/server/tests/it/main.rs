//! The server from outside: real workers, a real database, a real bus, real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on stops, helpers included; nobody else reaches them"
)]

mod asyncapi;
mod audit;
mod bad_input;
mod deploy;
mod due;
mod floor;
mod greedy;
mod idempotency;
mod limits;
mod live;
mod logs;
mod matrix;
mod menu;
mod operations;
mod pages;
mod people;
mod privacy;
mod replica;
mod reports;
mod support;
mod times;
mod tls;
mod together;
mod traces;
mod worst;

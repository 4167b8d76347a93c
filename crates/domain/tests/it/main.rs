//! The truth on a real PostgreSQL: rules, races, and what is left behind when something fails.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::large_futures,
    clippy::panic,
    reason = "what a test needs and cannot get fails the test"
)]
mod audit;
mod epoch;
mod floor;
mod house;
mod live;
mod log;
mod people;
mod plans;
mod privacy;
mod replay;
mod schema;
mod sql;
mod support;
mod tablet;
mod together;
mod transactions;
mod venue;

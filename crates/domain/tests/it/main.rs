//! The truth on a real PostgreSQL: rules, races, and what is left behind when something fails.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test needs and cannot get fails the test"
)]

mod identity;
mod support;

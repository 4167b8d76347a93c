//! The truth of QTable: rows, queries, rules, operations, and the event log.
//!
//! There is no HTTP and no socket in here. An *operation* (`floor::guests::update`, …) holds the
//! rules of one change: it works in an open write transaction that is handed to it ([`db::Tx`])
//! and never opens one, so that single requests, batches and offline queues run the same code.
//!
//! # Invariants
//! - **State and event in one transaction.** [`db::Db::write`] runs operations, then appends one
//!   event per changed entity to the restaurant's log as the last statement before COMMIT. The
//!   lock on the log's head lasts until the commit, so the order of sequences is the order of
//!   commits, without gaps: when `n + 1` can be seen, `n` can be read.
//! - **Locks in one order**: restaurant, tables by id, guests by id, reservations by id,
//!   categories by id, dishes by id, head.
//! - **Nobody changes anything unseen**: the statement that appends the events writes what changed,
//!   by whom and from where into the audit, which the database keeps append-only.
//! - **No operation swallows a database error**: in PostgreSQL it has aborted the transaction.
//! - **No query without the restaurant's id**, and every reference between rows of a restaurant is
//!   a foreign key that contains it.
//! - Time comes from [`clock::Clock`]; nothing else here asks for it.

pub mod address;
pub mod audit;
pub mod checks;
pub mod clock;
pub mod db;
pub mod due;
pub mod error;
pub mod floor;
pub mod holders;
pub mod live;
pub mod log;
pub mod meaning;
pub mod menu;
pub mod migrations;
pub mod page;
pub mod passwords;
pub mod people;
pub mod privacy;
mod record;
pub mod remembered;
pub mod rooms;
mod schema;
mod secrets;
mod settings;
pub mod sweeps;
pub mod together;
pub mod venue;
mod words;

pub use error::{Error, Result};

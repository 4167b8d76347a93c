//! The HTTP server of a worker, and what it does with connections.

mod connection;
mod guarded;
mod payload;
mod server;
mod upgrade;

pub(crate) use connection::{Connection, part};
pub(crate) use server::serve;
pub(crate) use upgrade::Handover;

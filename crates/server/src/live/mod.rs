//! Sockets: who may open one, what is said on it, and what carries it.

pub mod log;
pub mod realtime;
mod session;
pub mod tickets;
mod transport;

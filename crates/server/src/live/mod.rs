//! Sockets and streams: who may open one, what is said on it, and what carries it.

pub(crate) mod admission;
pub mod events;
pub mod log;
mod meter;
pub mod places;
pub mod presence;
pub mod realtime;
mod routes;
mod session;
pub mod socket_tickets;
pub mod subjects;
mod transport;

pub use routes::routes;

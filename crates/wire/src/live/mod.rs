//! What is said over sockets: events from the log, frames of the session, messages of clients.

pub mod audience;
pub mod events;
pub mod frames;
pub mod presence;
pub mod snapshot;
pub mod subjects;

//! What every route stands on, whatever it is about: HTTP, reading and answering, errors, limits.

pub mod commits;
pub mod errors;
pub mod extract;
pub mod faults;
pub mod http;
pub mod idempotency;
pub mod limits;
pub mod middleware;
pub mod origin;
pub mod reads;
pub mod reply;
pub mod routing;
pub mod tag;

//! What machines are told of the interfaces.

pub mod asyncapi;
pub mod openapi;
mod routes;

pub use routes::routes;

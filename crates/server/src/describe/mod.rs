//! What machines are told of the interfaces.

pub mod asyncapi;
pub mod details;
pub mod openapi;
mod routes;
pub mod sections;

pub use routes::routes;

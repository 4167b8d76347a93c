//! What machines are told of the interfaces.

pub mod asyncapi;
pub mod openapi;

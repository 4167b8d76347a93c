//! What machines are told of the interfaces.

pub mod asyncapi;
pub mod details;
pub mod openapi;
pub mod sections;

//! Who may: what a route needs of its caller, tokens, and the standing of devices.

pub mod auth;
pub mod holders;
pub mod standings;
pub mod tokens;

//! Who may: what a route needs of its caller, tokens, the standing of devices, and by what a device is known again.

pub mod auth;
pub mod device;
pub mod holders;
pub mod standings;
pub mod tokens;

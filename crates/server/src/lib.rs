//! The server: configuration, routes and handlers, sockets, background work, metrics, health.

pub mod auth;
pub mod config;
pub mod errors;
pub mod extract;

//! The server: configuration, routes and handlers, sockets, background work, metrics, health.

pub mod app;
pub mod asyncapi;
pub mod auth;
pub mod background;
pub mod cli;
pub mod config;
pub mod errors;
pub mod extract;
pub mod floor;
pub mod gauges;
pub mod health;
pub mod identity;
pub mod live;
pub mod logs;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod reply;
pub mod routes;
pub mod routing;
pub mod snapshots;
pub mod standings;
pub mod state;
pub mod tokens;

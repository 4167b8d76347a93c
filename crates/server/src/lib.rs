//! The server: configuration, routes and handlers, sockets, background work, metrics, health.
//!
//! Rooms (`floor`, `menu`, `people`, `venue`, …) stand beside the ground that all of them share
//! (`platform`, `access`, `seen`, `describe`, `live`, `work`). Nothing of it is for other crates, save
//! what the program and its tests start with and the rows by which tests go through all routes.
#![expect(
    unreachable_pub,
    reason = "`pub` says here what leaves its module; what leaves the crate is the list below"
)]

mod access;
mod app;
mod audit;
mod cli;
mod config;
mod describe;
mod floor;
mod live;
mod menu;
mod pages;
mod people;
mod platform;
mod privacy;
mod rooms;
mod routes;
mod seen;
mod snapshots;
mod state;
mod together;
mod venue;
mod work;

pub use access::auth::Need;
pub use app::Server;
pub use cli::{Cli, seed_demo};
pub use config::Config;
pub use describe::asyncapi::document as asyncapi;
pub use platform::extract::{BODY_LIMIT, FILE_LIMIT};
pub use routes::routes;

//! The server: configuration, routes and handlers, sockets, background work, metrics, health.
//!
//! Rooms (`floor`, `menu`, `people`, `venue`, …) stand beside the ground that all of them share
//! (`platform`, `access`, `seen`, `describe`, `live`, `work`).

pub mod access;
pub mod app;
pub mod audit;
pub mod cli;
pub mod config;
pub mod describe;
pub mod floor;
pub mod live;
pub mod menu;
pub mod pages;
pub mod people;
pub mod platform;
pub mod privacy;
pub mod rooms;
pub mod routes;
pub mod seen;
pub mod snapshots;
pub mod state;
pub mod together;
pub mod venue;
pub mod work;

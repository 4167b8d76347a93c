//! realtime

mod backlog;
mod backoff;
pub mod bus;
mod catch_up;
mod config;
mod context;
mod control;
mod event;
mod filter;
#[cfg(test)]
mod fixtures;
mod hub;
mod joining;
mod log;
mod reader;
mod ring;
mod room;
mod seats;
mod session;
mod stats;
mod upkeep;
mod window;

pub use bus::local::LocalBus;
pub use bus::redis::{BadRedisUrl, RedisBus, RedisConfig};
pub use config::HubConfig;
pub use event::{Commit, Event};
pub use hub::Hub;
pub use joining::{Join, JoinError, Opening, Since};
pub use log::{Head, Log, LogError, Page};
pub use seats::{Closing, SessionInfo, Who};
pub use session::{Pull, Session};
pub use stats::{Counter, Durations, Gauge, Resyncs, Stats};

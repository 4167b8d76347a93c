//! What operators see of a worker: lines, traces, reports of faults, metrics, health.

pub mod gauges;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod reports;
mod routes;
pub mod scrub;
pub mod traces;

pub use routes::routes;

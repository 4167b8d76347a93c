//! What operators see of a worker: lines, traces, reports of faults, metrics, health.

pub mod gauges;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod reports;
pub mod scrub;
pub mod traces;
mod routes;

pub use routes::routes;

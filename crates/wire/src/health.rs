//! What a load balancer and an operator are told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;

words! {
    /// Whether the worker can do its work.
    HealthStatus {
        /// All is well.
        Healthy = "healthy",
        /// It works, with something missing (Redis, for instance).
        Degraded = "degraded",
        /// It cannot work: answered with 503.
        Unhealthy = "unhealthy",
        /// It is going away: answered with 503.
        Draining = "draining",
    }
}

words! {
    /// Whether one part can do its work.
    PartStatus {
        /// Works.
        Up = "up",
        /// Does not.
        Down = "down",
        /// Is not configured.
        Off = "off",
    }
}

/// The health of one worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The sum of the parts.
    pub status: HealthStatus,
    /// Which worker answers.
    pub worker_id: String,
    /// The version of the program.
    pub version: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// The database.
    pub database: PartHealth,
    /// The bus between workers.
    pub redis: PartHealth,
    /// Open sockets.
    pub sessions: usize,
    /// Rooms with a subscription.
    pub rooms: usize,
}

/// The health of one part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartHealth {
    /// Whether it works.
    pub status: PartStatus,
    /// How long it took to answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What is wrong, in a few words without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

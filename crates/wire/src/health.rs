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

words! {
    /// By what a worker hears of the changes of others at once.
    BusKind {
        /// Redis pub/sub.
        Redis = "redis",
        /// PostgreSQL's notifications.
        Postgres = "postgres",
        /// Nothing: it is the only worker.
        Local = "local",
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
    /// A copy of the database that answers some reads; off where there is none. The worker can do
    /// without.
    pub replica: PartHealth,
    /// Redis; off when the bus does without it.
    pub redis: PartHealth,
    /// The bus between workers.
    pub bus: BusHealth,
    /// Open sockets.
    pub sessions: usize,
    /// Rooms with a subscription.
    pub rooms: usize,
}

/// The health of the bus. While it does not reach everybody, changes of other workers come by
/// looking into the log, within a quarter of a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusHealth {
    /// What it is.
    pub kind: BusKind,
    /// Whether all of its servers can be reached.
    pub status: PartStatus,
    /// What it does not reach, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Each of its servers; empty when there is none.
    pub servers: Vec<BusServerHealth>,
}

/// The health of one server of the bus, in the order of their configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusServerHealth {
    /// Whether this worker hears its own beat by it.
    pub status: PartStatus,
    /// How long ago it did, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_beat_ms: Option<u64>,
    /// How long a beat takes to the server and back, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
    /// How many workers that were heard of late are silent.
    pub silent_workers: usize,
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

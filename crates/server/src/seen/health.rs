//! What a load balancer and an operator are told of this worker.

use std::future::{Ready, ready as ready_now};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::db::Standing;
use realtime::bus::{PartStatus as BusPart, Reach};
use wire::health::{
    BusHealth, BusKind, BusServerHealth, Health, HealthStatus, PartHealth, PartStatus,
};

use crate::state::AppState;

/// How long the database may take to answer before it is called down: a load balancer does not
/// wait much longer itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// The health of this worker: 200 when it can work (`healthy`, or `degraded` without its bus), 503
/// when it cannot or is going away.
#[utoipa::path(
    get, path = "/health", tag = "operations",
    responses((status = 200, body = Health), (status = 503, body = Health))
)]
pub async fn health(state: Data<AppState>) -> HttpResponse {
    answer(&look(&state).await)
}

/// Whether the process runs at all.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200)))]
pub fn live() -> Ready<HttpResponse> {
    ready_now(HttpResponse::Ok().json(serde_json::json!({ "status": "alive" })))
}

/// Whether requests may be sent here.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations",
    responses((status = 200, body = Health), (status = 503, body = Health))
)]
pub async fn ready(state: Data<AppState>) -> HttpResponse {
    answer(&look(&state).await)
}

fn answer(health: &Health) -> HttpResponse {
    let mut answer = match health.status {
        HealthStatus::Healthy | HealthStatus::Degraded => HttpResponse::Ok(),
        HealthStatus::Unhealthy | HealthStatus::Draining => HttpResponse::ServiceUnavailable(),
    };
    answer.json(health)
}

async fn look(state: &AppState) -> Health {
    let database = database(state).await;
    let bus = bus(state);
    let status = if state.is_draining() {
        HealthStatus::Draining
    } else if database.status != PartStatus::Up {
        HealthStatus::Unhealthy
    } else if bus.status == PartStatus::Down {
        HealthStatus::Degraded
    } else {
        HealthStatus::Healthy
    };
    let count = |gauge: i64| usize::try_from(gauge).unwrap_or(0);
    Health {
        status,
        worker_id: state.config.worker_id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: state.started.elapsed().as_secs(),
        database,
        replica: replica(state),
        redis: redis(&bus),
        bus,
        sessions: count(state.hub.stats().sessions.get()),
        rooms: count(state.hub.stats().rooms.get()),
    }
}

async fn database(state: &AppState) -> PartHealth {
    let started = Instant::now();
    let message = match state.db.look(PATIENCE).await {
        Ok(()) if state.is_schema_ready() => None,
        Ok(()) => Some("the schema is not migrated yet".to_owned()),
        Err(_) if started.elapsed() >= PATIENCE => Some("no answer in time".to_owned()),
        Err(_) => Some("no connection".to_owned()),
    };
    PartHealth {
        status: if message.is_none() {
            PartStatus::Up
        } else {
            PartStatus::Down
        },
        latency_ms: Some(started.elapsed().as_secs_f64() * 1000.0),
        message,
    }
}

/// The replica as it was last seen. What it cannot answer is answered by the database, so the worker
/// is as healthy without it.
fn replica(state: &AppState) -> PartHealth {
    let (status, message) = match state.reads.standing() {
        None => (PartStatus::Off, None),
        Some(Standing::Fresh(_)) => (PartStatus::Up, None),
        Some(Standing::Behind(_)) => (PartStatus::Down, Some("it is too far behind")),
        Some(Standing::Away(why)) => (PartStatus::Down, Some(why)),
    };
    PartHealth {
        status,
        latency_ms: None,
        message: message.map(str::to_owned),
    }
}

fn bus(state: &AppState) -> BusHealth {
    let kind = state.config.bus;
    let status = match (kind, state.hub.reach()) {
        (BusKind::Local, _) => PartStatus::Off,
        (_, Reach::Down) => PartStatus::Down,
        (_, Reach::Partial | Reach::Full) => PartStatus::Up,
    };
    let message = match (kind, state.hub.reach()) {
        (BusKind::Local, _) | (_, Reach::Full) => None,
        (_, Reach::Down) => Some("no beat: changes of other workers come by looking into the log"),
        (_, Reach::Partial) => {
            Some("a worker is silent, or beats are slow: changes also come by looking into the log")
        }
    };
    let servers = state.hub.bus_status().into_iter();
    BusHealth {
        kind,
        status,
        message: message.map(str::to_owned),
        servers: servers.map(bus_server).collect(),
    }
}

fn bus_server(part: BusPart) -> BusServerHealth {
    let is_up = part.reach != Reach::Down;
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    BusServerHealth {
        status: if is_up {
            PartStatus::Up
        } else {
            PartStatus::Down
        },
        last_beat_ms: part.last_beat.map(ms),
        round_trip_ms: part.round_trip.map(|took| took.as_secs_f64() * 1000.0),
        silent_workers: part.silent_workers,
    }
}

/// Redis, as far as the bus needs it.
fn redis(bus: &BusHealth) -> PartHealth {
    let (status, message) = if bus.kind == BusKind::Redis {
        (bus.status, bus.message.clone())
    } else {
        (PartStatus::Off, None)
    };
    PartHealth {
        status,
        latency_ms: None,
        message,
    }
}

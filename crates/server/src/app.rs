//! A worker: everything it is made of, put together, started and stopped.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use anyhow::Context;
use chrono::TimeDelta;
use domain::clock::Clock;
use domain::db::{Db, DbConfig, Observer, Replica, ReplicaConfig};
use domain::migrations;
use domain::passwords::Passwords;
use domain::people::accounts;
use realtime::bus::Bus;
use realtime::{Hub, HubConfig, LocalBus, PostgresConfig, RedisConfig};
use socket2::{Domain, Protocol, Socket, Type};
use tls::PostgresServer;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::health::BusKind;

use crate::access::standings::Standings;
use crate::access::tokens::Tokens;
use crate::config::{Config, Secret};
use crate::live::log::DatabaseLog;
use crate::live::places::Places;
use crate::people::defaults;
use crate::platform::commits::OnCommit;
use crate::platform::http::serve;
use crate::platform::limits::Limits;
use crate::platform::reads::Reads;
use crate::rooms::{PARTS, Rooms};
use crate::seen::gauges;
use crate::seen::metrics;
use crate::seen::metrics::Metrics;
use crate::seen::traces;
use crate::snapshots::Snapshots;
use crate::state::{AppState, unix_ms};
use crate::work::background;

/// How long a request may wait for a connection to the database.
const POOL_WAIT: Duration = Duration::from_secs(3);

/// How many connections may wait to be accepted; the system may allow fewer (`somaxconn`).
const BACKLOG: i32 = 4096;

/// How often the schema is looked at while it is not the one that is needed.
const SCHEMA_WAIT: Duration = Duration::from_millis(500);

/// How long requests that are under way have to finish after the sockets are gone.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// A running worker.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its handlers share.
    pub state: Arc<AppState>,
    servers: Vec<(ServerHandle, JoinHandle<std::io::Result<()>>)>,
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Starts a worker on the current runtime, which must be multi-threaded and outlive it.
    ///
    /// It listens at once, whether or not the database and Redis are there: until the schema is
    /// right it answers 503 and `/health` says why.
    ///
    /// # Errors
    /// When it cannot listen, or is told nonsense.
    pub fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let (host, port) = (config.http.host, config.http.port);
        let listener = listen((host, port).into())
            .with_context(|| format!("cannot listen on {host}:{port}"))?;
        let address = listener.local_addr()?;
        let state = Arc::new(state(config, clock)?);
        let (token, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(prepare(Arc::clone(&state), token.clone(), tasks.clone()));
        let mut servers = vec![spawn(serve(&state, listener, LAST_REQUESTS)?)];
        let metrics = metrics::listen(&state.config, Arc::clone(&state.metrics))
            .context("cannot listen on METRICS_PORT")?;
        servers.extend(metrics.map(spawn));
        tracing::info!(%address, worker_id = state.config.worker_id, "listening");
        Ok(Self {
            address,
            state,
            servers,
            token,
            tasks,
        })
    }

    /// Goes away: says so to the load balancer, sends the sockets away over `grace`, lets requests
    /// finish, stops.
    pub async fn stop(self, grace: Duration) {
        let started = Instant::now();
        self.state.draining.store(true, Ordering::Relaxed);
        let last = LAST_REQUESTS.min(grace / 3);
        self.state.hub.drain(grace.saturating_sub(last)).await;
        // What is under way may end until then; what is left is cut.
        let end = tokio::time::Instant::now() + last;
        // Sockets are no connections of the HTTP server any more, and live on its threads.
        self.state.sessions.close();
        let _said_goodbye = timeout_at(end, self.state.sessions.wait()).await;
        for (handle, _) in &self.servers {
            let stopping = handle.stop(true);
            if timeout_at(end, stopping).await.is_err() {
                handle.stop(false).await;
            }
        }
        for (_, task) in self.servers {
            if let Ok(Err(error)) = task.await {
                tracing::warn!(%error, "the HTTP server ended badly");
            }
        }
        self.state.hub.shutdown().await;
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        tracing::info!(elapsed_ms = started.elapsed().as_millis(), "stopped");
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The database, for commands that are not a worker.
///
/// # Errors
/// When the pool cannot be made.
pub fn database(config: &Config) -> anyhow::Result<Db> {
    pool(config, 0, Clock::system(), Arc::new(()))
}

fn pool(
    config: &Config,
    threads: usize,
    clock: Clock,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<Db> {
    let config = DbConfig {
        url: config.database.url.reveal().to_owned(),
        pool_size: config.database.pool_size,
        threads,
        wait: POOL_WAIT,
        clock,
        observer,
    };
    Ok(Db::new(config, Handle::current())?)
}

/// An error of an operation as somebody at a terminal is told of it: every field that is at fault.
#[must_use]
pub fn told(error: domain::Error) -> anyhow::Error {
    match error {
        domain::Error::Invalid(fields) => {
            let faults = fields
                .iter()
                .map(|fault| format!("{} {}", fault.field, fault.message));
            anyhow::anyhow!(faults.collect::<Vec<_>>().join("; "))
        }
        error => error.into(),
    }
}

fn state(config: Config, clock: Clock) -> anyhow::Result<AppState> {
    let metrics = Arc::new(Metrics::new()?);
    let observer = Arc::clone(&metrics) as Arc<dyn Observer>;
    let db = pool(&config, config.http.threads, clock, observer)?;
    let hub_config = hub_config();
    #[cfg(feature = "faults")]
    let hub_config = broken(hub_config, &config);
    let hub = Hub::start(hub_config, Arc::new(DatabaseLog(db.clone())), bus(&config)?);
    let reads = reads(
        &config,
        &db,
        &hub,
        Arc::clone(&metrics) as Arc<dyn Observer>,
    )?;
    gauges::install(&metrics, &db, &reads, &hub, config.bus);
    let (rooms, of_rooms) = Rooms::open(&db, &hub, &metrics)?;
    let mut listeners: Vec<Arc<dyn OnCommit>> =
        vec![Arc::clone(&metrics) as _, Arc::new(reads.clone())];
    listeners.extend(of_rooms);
    let auth = &config.auth;
    let lifetime = TimeDelta::from_std(auth.access_token)?;
    let previous = auth.previous_secret_key.as_ref().map(|key| key.reveal());
    Ok(AppState {
        tokens: Tokens::new(auth.secret_key.reveal(), previous, lifetime),
        passwords: passwords(&config, config.http.threads),
        standings: Standings::new(db.clone()),
        limits: Limits::new(&config, &metrics, Handle::current())?,
        snapshots: Snapshots::new(db.clone(), PARTS),
        rooms,
        listeners,
        places: Places::new(config.live.shares),
        db,
        reads,
        hub,
        metrics,
        sessions: TaskTracker::new(),
        started: Instant::now(),
        schema_ready: AtomicBool::new(false),
        draining: AtomicBool::new(false),
        config,
    })
}

/// What hashes passwords; `parallel` how many cores may be busy with that at once.
#[must_use]
pub fn passwords(config: &Config, parallel: usize) -> Passwords {
    let passwords = Passwords::new(config.auth.bcrypt_cost, parallel);
    if config.environment.is_production() {
        passwords.strict()
    } else {
        passwords
    }
}

fn reads(
    config: &Config,
    db: &Db,
    hub: &Hub,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<Reads> {
    let replica = config.database.replica.as_ref().map(|replica| {
        let copy = ReplicaConfig {
            url: replica.url.reveal().to_owned(),
            pool_size: replica.pool_size,
            max_lag: replica.max_lag,
            observer,
        };
        let copy = Replica::new(copy, Handle::current())?;
        Ok::<_, domain::Error>((copy, replica.max_lag))
    });
    Ok(Reads::new(db.clone(), hub.clone(), replica.transpose()?))
}

fn hub_config() -> HubConfig {
    HubConfig {
        relay_span: traces::relay,
        ..HubConfig::new(unix_ms)
    }
}

#[cfg(feature = "faults")]
fn broken(hub: HubConfig, config: &Config) -> HubConfig {
    if let Some(fault) = config.fault {
        tracing::error!(?fault, "this worker loses events on purpose");
    }
    HubConfig {
        fault: config.fault,
        ..hub
    }
}

fn bus(config: &Config) -> anyhow::Result<Arc<dyn Bus>> {
    Ok(match (config.bus, &config.redis) {
        (BusKind::Redis, Some(redis)) => {
            let urls = redis.urls.iter().map(Secret::reveal);
            let mut bus = RedisConfig::new(urls, &redis.prefix);
            bus.cluster = redis.cluster;
            bus.authorities.clone_from(&redis.authorities);
            bus.bus()?
        }
        (BusKind::Postgres, _) => {
            let server = PostgresServer::parse(config.database.url.reveal())?;
            PostgresConfig::new(server).bus()
        }
        (BusKind::Local | BusKind::Redis, _) => Arc::new(LocalBus::new()),
    })
}

/// Listens. The standard library lets 128 connections wait to be accepted; when all tablets of a
/// house come back at once, the next ones would be dropped and try again a second later.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A worker that is started again need not wait for the connections of the one before.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Waits for the schema, makes the first admin, then begins the work in the background.
async fn prepare(state: Arc<AppState>, token: CancellationToken, tasks: TaskTracker) {
    let mut said = None;
    loop {
        match prepared(&state).await {
            Ok(()) => break,
            Err(error) => {
                // Once for each reason, not twice a second.
                let reason = format!("{error:#}");
                if said.as_ref() != Some(&reason) {
                    tracing::warn!(reason, "not ready yet; trying again");
                    said = Some(reason);
                }
            }
        }
        tokio::select! {
            () = token.cancelled() => return,
            () = tokio::time::sleep(SCHEMA_WAIT) => {}
        }
    }
    state.schema_ready.store(true, Ordering::Relaxed);
    tracing::info!("ready");
    background::start(&state, &token, &tasks);
}

async fn prepared(state: &AppState) -> anyhow::Result<()> {
    let url = state.config.database.url.reveal();
    if migrations::is_pending(url)
        .await
        .context("the database is away")?
    {
        anyhow::bail!("the schema is not migrated yet: run `qtable migrate`");
    }
    if state.config.environment.is_production() {
        defaults::close(&state.db, &state.passwords)
            .await
            .context("accounts with known passwords could not be closed")?;
    }
    if let Some(admin) = &state.config.auth.admin {
        let hash = state
            .passwords
            .hash(admin.password.reveal().to_owned())
            .await?;
        let email = admin.email.clone();
        state
            .db
            .transaction("accounts.admin", async move |conn, now| {
                accounts::create_admin(conn, now, &email, &hash, false).await
            })
            .await
            .context("the first admin could not be made")?;
    }
    Ok(())
}

type Started = (ServerHandle, JoinHandle<std::io::Result<()>>);

fn spawn(server: actix_web::dev::Server) -> Started {
    let handle = server.handle();
    (handle, tokio::spawn(server))
}

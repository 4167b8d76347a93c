//! The workers: processes of the real server, each behind links of its own that can be cut.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context;
use testkit::proxy::Proxy;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::ports::{free_port, local};
use crate::program;

/// Seconds from SIGTERM to the end.
const GRACE: u64 = 3;

/// Seconds between heartbeats: faults are shorter than in life, so is the silence.
const HEARTBEAT: u64 = 2;

/// What all workers are started with.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The program.
    pub(crate) server: PathBuf,
    /// Where the logs go.
    pub(crate) logs: PathBuf,
    pub(crate) secret: String,
}

/// A worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// Its links to clients, to PostgreSQL and to Redis.
    pub(crate) clients: Proxy,
    pub(crate) database: Proxy,
    pub(crate) redis: Proxy,
    child: Mutex<Option<Child>>,
}

impl Setup {
    /// A command of the server.
    pub(crate) fn command(&self, log: &Path, database_url: &str) -> anyhow::Result<Command> {
        let mut command = program::server(&self.server, log, database_url, &self.secret, GRACE)?;
        command
            .env_remove("REDIS_URL")
            .env("ENVIRONMENT", "development")
            .env("LOG_FORMAT", "json")
            .env("LOG_LEVEL", "info")
            .env("WS_HEARTBEAT_INTERVAL", HEARTBEAT.to_string());
        Ok(command)
    }
}

impl Worker {
    /// Prepares a worker and its links; it is not started yet.
    pub(crate) async fn new(
        number: usize,
        database_url: &str,
        redis_url: &str,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        Ok(Self {
            name: format!("worker-{number}"),
            port,
            clients: Proxy::start(local(port)).await,
            database: Proxy::for_url(database_url).await,
            redis: Proxy::for_url(redis_url).await,
            child: Mutex::new(None),
        })
    }

    /// Starts the process.
    pub(crate) async fn start(&self, setup: &Setup) -> anyhow::Result<()> {
        let log = setup.logs.join(format!("{}.log", self.name));
        let child = setup
            .command(&log, self.database.url())?
            .arg("serve")
            .env("REDIS_URL", self.redis.url())
            .env("PORT", self.port.to_string())
            .env("WORKER_ID", &self.name)
            .spawn()
            .context("starting a worker")?;
        *self.child.lock().await = Some(child);
        Ok(())
    }

    /// Kills it as a machine does that runs out of memory.
    pub(crate) async fn kill(&self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.lock().await.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Asks it to go, and says how it went: it must within its grace, and with exit code 0.
    pub(crate) async fn stop(&self) -> anyhow::Result<Result<(), String>> {
        let Some(mut child) = self.child.lock().await.take() else {
            return Ok(Ok(()));
        };
        let Some(pid) = child.id() else {
            return Ok(Err(format!("{} had ended before it was asked", self.name)));
        };
        program::terminate(pid).await?;
        // What is scheduled badly on a busy machine is not late.
        let patience = Duration::from_secs(GRACE * 2 + 5);
        let ended = timeout(patience, child.wait()).await;
        Ok(match ended {
            Ok(status) => in_order(&self.name, status?),
            Err(_) => {
                child.kill().await?;
                Err(format!("{} did not go when it was asked to", self.name))
            }
        })
    }

    /// How it ended, if it has ended by itself.
    pub(crate) async fn ended(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().await;
        let status = child.as_mut()?.try_wait().ok().flatten()?;
        *child = None;
        Some(status)
    }

    /// Resident memory in bytes, where the system tells it.
    pub(crate) async fn memory(&self) -> Option<u64> {
        let pid = self.child.lock().await.as_ref()?.id()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024)
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&self, patience: Duration) -> anyhow::Result<()> {
        let url = format!("http://{}/health/ready", local(self.port));
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()?;
        let started = Instant::now();
        while started.elapsed() < patience {
            let answer = http.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("{} is not ready after {patience:?}", self.name)
    }
}

fn in_order(name: &str, status: ExitStatus) -> Result<(), String> {
    if status.success() {
        Ok(())
    } else {
        Err(format!("{name} was asked to go and ended with {status}"))
    }
}

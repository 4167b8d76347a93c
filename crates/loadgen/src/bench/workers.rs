//! QTable, as it is measured: fresh workers for each measurement, as the peers have fresh
//! processes too, and none while a peer is measured.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::ports::{free_port, local};

/// Seconds from SIGTERM to the end: there is nobody left whom it would disturb.
const GRACE: u64 = 1;

/// How long a worker may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all workers are started with.
#[derive(Debug)]
pub(super) struct Setup {
    /// The program.
    pub(super) server: PathBuf,
    /// A directory for their logs.
    pub(super) logs: PathBuf,
    pub(super) database_url: String,
    pub(super) redis_url: String,
    pub(super) secret: String,
}

/// Workers that run.
#[derive(Debug)]
pub(super) struct Workers(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    port: u16,
    pid: u32,
    child: Child,
}

impl Setup {
    /// A command of the server's program.
    fn command(&self) -> anyhow::Result<Command> {
        let log = self.logs.join("workers.log");
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(&self.server);
        command
            .env("DATABASE_URL", &self.database_url)
            .env("REDIS_URL", &self.redis_url)
            .env("SECRET_KEY", &self.secret)
            .env("HOST", "127.0.0.1")
            .env("RATE_LIMITS", "off")
            .env("LOG_LEVEL", "warn")
            .env("SHUTDOWN_GRACE_SECONDS", GRACE.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Makes the schema and the demo restaurant.
    ///
    /// # Errors
    /// When the server's program fails.
    pub(super) async fn migrate(&self) -> anyhow::Result<()> {
        for action in ["migrate", "seed-demo"] {
            let status = self.command()?.arg(action).status().await?;
            ensure!(status.success(), "qtable {action}: {status}");
        }
        Ok(())
    }

    /// Starts workers, and waits until they are ready.
    ///
    /// # Errors
    /// When one is not.
    pub(super) async fn start(&self, count: usize) -> anyhow::Result<Workers> {
        let mut workers = Vec::new();
        for number in 1..=count {
            let port = free_port()?;
            let child = self
                .command()?
                .arg("serve")
                .env("PORT", port.to_string())
                .env("WORKER_ID", format!("bench-{number}"))
                .spawn()
                .with_context(|| format!("starting {}", self.server.display()))?;
            let pid = child.id().context("the number of a process")?;
            workers.push(Worker { port, pid, child });
        }
        let mut workers = Workers(workers);
        workers.wait().await?;
        Ok(workers)
    }
}

impl Workers {
    async fn wait(&mut self) -> anyhow::Result<()> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()?;
        let started = Instant::now();
        for worker in &mut self.0 {
            let url = format!("http://{}/health/ready", local(worker.port));
            loop {
                let answer = http.get(&url).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                if let Some(status) = worker.child.try_wait()? {
                    bail!("a worker has ended with {status}");
                }
                ensure!(started.elapsed() < PATIENCE, "a worker is not ready");
                sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Their addresses, with commas between.
    pub(super) fn urls(&self) -> String {
        let urls = self.0.iter();
        let urls = urls.map(|worker| format!("http://{}", local(worker.port)));
        urls.collect::<Vec<_>>().join(",")
    }

    /// Their processes, with commas between.
    pub(super) fn pids(&self) -> String {
        let pids = self.0.iter().map(|worker| worker.pid.to_string());
        pids.collect::<Vec<_>>().join(",")
    }

    /// Ends them, so that nothing of theirs runs any more.
    ///
    /// # Errors
    /// When one has ended by itself, or badly.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        for worker in &mut self.0 {
            if let Some(status) = worker.child.try_wait()? {
                bail!("a worker has ended with {status} while it was measured");
            }
            terminate(worker.pid).await?;
        }
        for worker in &mut self.0 {
            let Ok(status) = timeout(PATIENCE, worker.child.wait()).await else {
                bail!("a worker does not end");
            };
            let status = status?;
            ensure!(status.success(), "a worker was asked to go: {status}");
        }
        Ok(())
    }
}

/// Asks a process to end.
pub(super) async fn terminate(pid: u32) -> anyhow::Result<()> {
    let mut kill = Command::new("kill");
    kill.args(["-TERM", &pid.to_string()]).status().await?;
    Ok(())
}

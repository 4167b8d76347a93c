//! QTable, as it is measured: fresh workers for each measurement, as the peers have fresh
//! processes too, and none while a peer is measured.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::scenario::{self, Figures};
use crate::ports::{free_port, local};
use crate::program;

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
struct Workers(Vec<Worker>);

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
        let (database, secret) = (&self.database_url, &self.secret);
        let mut command = program::server(&self.server, &log, database, secret, GRACE)?;
        command
            .env("REDIS_URL", &self.redis_url)
            .env("RATE_LIMITS", "off")
            .env("LOG_LEVEL", "warn");
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

    /// Runs a scenario, of which `words` are the name and the arguments, on so many fresh workers,
    /// and ends these, so that nothing of them runs while something else is measured.
    ///
    /// # Errors
    /// When a worker does not begin or end as it should, and those of the scenario.
    pub(super) async fn measure(&self, count: usize, words: &[&str]) -> anyhow::Result<Figures> {
        let workers = self.start(count).await?;
        let (urls, pids) = (workers.urls(), workers.pids());
        let all = [words, &["--url", &urls, "--pids", &pids]].concat();
        let figures = scenario::run(&all).await;
        workers.stop().await?;
        figures
    }

    /// Starts workers, and waits until they are ready.
    async fn start(&self, count: usize) -> anyhow::Result<Workers> {
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
    fn urls(&self) -> String {
        let urls = self.0.iter();
        let urls = urls.map(|worker| format!("http://{}", local(worker.port)));
        urls.collect::<Vec<_>>().join(",")
    }

    /// Their processes, with commas between.
    fn pids(&self) -> String {
        let pids = self.0.iter().map(|worker| worker.pid.to_string());
        pids.collect::<Vec<_>>().join(",")
    }

    /// Ends them, so that nothing of theirs runs any more.
    ///
    /// # Errors
    /// When one has ended by itself, or badly.
    async fn stop(mut self) -> anyhow::Result<()> {
        for worker in &mut self.0 {
            if let Some(status) = worker.child.try_wait()? {
                bail!("a worker has ended with {status} while it was measured");
            }
            program::terminate(worker.pid).await?;
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

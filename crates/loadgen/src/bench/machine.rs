//! On what was measured.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::database::Database;
use super::redis;

/// The machine and the programs on it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Machine {
    cores: usize,
    processor: String,
    memory_bytes: u64,
    kernel: String,
    postgres: String,
    fsync: String,
    redis: String,
    nginx: Option<String>,
    /// The version of QTable that was measured.
    commit: Option<String>,
}

impl Machine {
    /// Looks around.
    ///
    /// # Errors
    /// When the services do not answer.
    pub(super) async fn here(
        database: &Database,
        redis_url: &str,
        nginx: Option<String>,
        commit: Option<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: field("/proc/cpuinfo", "model name")
                .unwrap_or_else(|| "processor".to_owned()),
            memory_bytes: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
                .map_or(0, |kib| kib * 1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(
                |_| std::env::consts::OS.to_owned(),
                |text| text.trim().to_owned(),
            ),
            postgres: database.ask("SHOW server_version").await?,
            fsync: database.ask("SHOW fsync").await?,
            redis: redis::version(redis_url)?,
            nginx,
            commit,
        })
    }
}

fn field(path: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(commit) = &self.commit {
            write!(f, "Commit {commit}, on ")?;
        } else {
            write!(f, "On ")?;
        }
        let gib = (self.memory_bytes + (1 << 29)) >> 30;
        write!(
            f,
            "{} cores ({}), {gib} GiB, kernel {}; PostgreSQL {} (fsync {}), Redis {}",
            self.cores, self.processor, self.kernel, self.postgres, self.fsync, self.redis
        )?;
        if let Some(nginx) = &self.nginx {
            write!(f, ", {nginx}")?;
        }
        write!(f, ".")
    }
}

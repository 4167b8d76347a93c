//! A scenario of this program, run as a child: the same clients for QTable and its peers.

use std::process::Stdio;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::process::Command;

/// What a scenario tells with `--json`, as far as it is compared.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Figures {
    #[serde(default)]
    pub(super) lost: u64,
    #[serde(default)]
    pub(super) duplicated: u64,
    #[serde(default)]
    pub(super) disordered: u64,
    #[serde(default)]
    pub(super) errors: u64,
    per_second: Option<f64>,
    latency: Option<Milliseconds>,
    latency_everywhere: Option<Milliseconds>,
    requests: Option<Milliseconds>,
    deliveries_per_cpu_second: Option<f64>,
    bytes_per_session: Option<f64>,
    frame_bytes: Option<f64>,
    cpu_micros_per_request: Option<f64>,
    cpu_micros_per_session_second: Option<f64>,
    #[serde(default)]
    seconds: f64,
    #[serde(default)]
    others: Vec<Other>,
}

/// What another process cost.
#[derive(Clone, Debug, Deserialize)]
struct Other {
    cpu_seconds: f64,
}

/// A summary of latencies.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Milliseconds {
    pub(super) count: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Figures {
    /// Requests per second.
    pub(super) fn per_second(&self) -> anyhow::Result<f64> {
        self.per_second.context("the scenario tells no rate")
    }

    /// From when a request was due to its answer, or to the frame at another worker.
    pub(super) fn latency(&self) -> anyhow::Result<Milliseconds> {
        self.latency.context("the scenario tells no latency")
    }

    /// From when a request was due to the frame, at whichever worker.
    pub(super) fn latency_everywhere(&self) -> anyhow::Result<Milliseconds> {
        self.latency_everywhere
            .context("the scenario tells no latency of its frames")
    }

    /// From when a request was due to its answer, where the latency is that of frames.
    pub(super) fn requests(&self) -> anyhow::Result<Milliseconds> {
        self.requests
            .context("the scenario tells nothing of its requests")
    }

    /// Frames for each second that the servers' processes have worked.
    pub(super) fn deliveries_per_cpu_second(&self) -> anyhow::Result<f64> {
        self.deliveries_per_cpu_second
            .context("the scenario tells nothing of the servers' work")
    }

    /// Of the servers' memory.
    pub(super) fn bytes_per_session(&self) -> anyhow::Result<f64> {
        self.bytes_per_session
            .context("the scenario tells nothing of the servers' memory")
    }

    /// CPU time of the servers for each request.
    pub(super) fn cpu_micros_per_request(&self) -> anyhow::Result<f64> {
        self.cpu_micros_per_request
            .context("the scenario tells nothing of the servers' work")
    }

    /// CPU time of the other processes for each request.
    pub(super) fn others_micros_per_request(&self) -> anyhow::Result<f64> {
        let cpu: f64 = self.others.iter().map(|other| other.cpu_seconds).sum();
        Ok(cpu * 1e6 / (self.per_second()? * self.seconds))
    }

    /// CPU time of the servers for each session and second in which nothing happens.
    pub(super) fn cpu_micros_per_session_second(&self) -> anyhow::Result<f64> {
        self.cpu_micros_per_session_second
            .context("the scenario tells nothing of the servers at rest")
    }

    /// Of an event, as it is delivered.
    pub(super) fn frame_bytes(&self) -> anyhow::Result<f64> {
        self.frame_bytes
            .context("the scenario tells nothing of its frames")
    }
}

/// Runs a scenario.
///
/// # Errors
/// When something was lost, doubled or refused: then there is nothing to compare.
pub(super) async fn run(arguments: &[&str]) -> anyhow::Result<Figures> {
    let name = arguments.first().copied().unwrap_or_default();
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .arg("--json")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("running {name}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let figures = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{}: {}: {}\n{}",
        arguments.join(" "),
        output.status,
        said.trim(),
        figures.trim()
    );
    let figures: Figures =
        serde_json::from_str(&figures).with_context(|| format!("what {name} tells: {figures}"))?;
    let faults = figures.lost + figures.duplicated + figures.disordered + figures.errors;
    ensure!(faults == 0, "{name} was not clean: {figures:?}");
    Ok(figures)
}

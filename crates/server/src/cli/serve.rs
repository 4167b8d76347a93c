//! `qtable serve`: one worker.

use clap::Args;
use domain::clock::Clock;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::Server;
use crate::config::Config;
use crate::seen::logs;
use crate::seen::reports::Reports;
use crate::seen::traces::Traces;

/// Runs one worker until SIGTERM or Ctrl-C.
#[derive(Args, Debug)]
pub struct Serve {}

impl Serve {
    /// Serves until a signal comes, then goes away within the grace period. A second signal ends
    /// it at once.
    ///
    /// # Errors
    /// When the worker cannot start.
    pub async fn run(self, config: Config) -> anyhow::Result<()> {
        let traces = match &config.traces {
            Some(traces) => Some(Traces::start(traces, &config.worker_id, Handle::current())?),
            None => None,
        };
        let reports = Reports::start(&config, &Handle::current())?;
        logs::init(
            &config.log,
            &config.worker_id,
            traces.as_ref(),
            reports.as_ref(),
        )?;
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let (mut terminate, mut interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        let grace = config.http.shutdown_grace;
        let server = Server::start(config, Clock::system())?;
        either(&mut terminate, &mut interrupt).await;
        tracing::info!(grace_seconds = grace.as_secs(), "going away");
        tokio::select! {
            () = server.stop(grace) => {}
            () = either(&mut terminate, &mut interrupt) => tracing::warn!("told twice: ending at once"),
        }
        if let Some(reports) = reports {
            reports.finish().await;
        }
        if let Some(traces) = traces {
            tokio::task::spawn_blocking(|| traces.finish()).await?;
        }
        Ok(())
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

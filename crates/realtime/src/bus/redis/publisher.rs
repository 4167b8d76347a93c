//! The task that publishes.

use std::sync::Arc;

use deadpool_redis::{Connection, Pool};
use redis::Pipeline;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::backoff::Backoff;
use crate::bus::redis::Shared;
use crate::bus::{Hint, message};
use crate::event::Commit;
use crate::stats::Stats;

/// How many transactions are published in one go.
const BATCH: usize = 128;
/// How many bytes are published in one go, about.
const BATCH_BYTES: usize = 1 << 20;

pub(super) struct Publisher {
    shared: Arc<Shared>,
    pool: Pool,
    queued: mpsc::Receiver<Arc<Commit>>,
    stats: Arc<Stats>,
    /// Kept from one batch to the next: the pool would greet the server each time.
    connection: Option<Connection>,
    backoff: Backoff,
    /// When to connect again.
    not_before: Instant,
}

impl Publisher {
    pub(super) fn new(
        shared: Arc<Shared>,
        pool: Pool,
        queued: mpsc::Receiver<Arc<Commit>>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            backoff: Backoff::new(shared.config.first_pause, shared.config.longest_pause),
            shared,
            pool,
            queued,
            stats,
            connection: None,
            not_before: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        let token = self.shared.token.clone();
        let mut beats = interval(self.shared.config.beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut commits = Vec::with_capacity(BATCH);
        loop {
            let beat = tokio::select! {
                biased;
                () = token.cancelled() => break,
                () = self.shared.link.beat_wanted.notified() => {
                    // The server is back: there is no reason to wait.
                    self.not_before = Instant::now();
                    true
                }
                _ = beats.tick() => true,
                n = self.queued.recv_many(&mut commits, BATCH) => {
                    if n == 0 { break }
                    false
                }
            };
            self.publish(&mut commits, beat).await;
        }
        // What was committed before the end should not have to be found by comparison.
        self.queued.close();
        while self.queued.recv_many(&mut commits, BATCH).await > 0 {
            self.publish(&mut commits, false).await;
        }
    }

    /// Publishes what it can, and remembers what others have to be told later.
    async fn publish(&mut self, commits: &mut Vec<Arc<Commit>>, beat: bool) {
        let mut beat = beat;
        while beat || !commits.is_empty() {
            let (pipe, n) = self.batch(commits, std::mem::take(&mut beat));
            let hints = self.shared.owed.take();
            let pipe = self.with_hints(pipe, &hints);
            let sent: Vec<_> = commits.drain(..n).collect();
            if self.send(&pipe).await {
                self.backoff.reset();
                self.stats.bus_published.count(sent.len());
            } else {
                self.stats.bus_publish_failed.count(sent.len());
                hints
                    .into_iter()
                    .for_each(|hint| self.shared.owed.hint(hint));
                sent.iter()
                    .for_each(|commit| self.shared.owed.commit(commit));
            }
        }
    }

    /// As many of the first transactions as fit, and how many that is.
    fn batch(&self, commits: &[Arc<Commit>], beat: bool) -> (Pipeline, usize) {
        let channels = &self.shared.channels;
        let mut pipe = Pipeline::with_capacity(commits.len() + 1);
        if beat {
            pipe.cmd("PUBLISH").arg(channels.own()).arg("").ignore();
        }
        let mut bytes = 0;
        let mut taken = 0;
        for commit in commits {
            taken += 1;
            match message::encode(self.shared.origin, commit) {
                Ok(message) => {
                    bytes += message.len();
                    let channel = channels.of(commit.restaurant_id);
                    pipe.cmd("PUBLISH").arg(channel).arg(message).ignore();
                }
                Err(error) => tracing::error!(%error, "a message could not be written"),
            }
            if bytes >= BATCH_BYTES {
                break;
            }
        }
        (pipe, taken)
    }

    fn with_hints(&self, mut pipe: Pipeline, hints: &[Hint]) -> Pipeline {
        for hint in hints {
            if let Ok(message) = message::encode_hint(self.shared.origin, hint) {
                let channel = self.shared.channels.of(hint.restaurant_id);
                pipe.cmd("PUBLISH").arg(channel).arg(message).ignore();
            }
        }
        pipe
    }

    /// A connection that has been idle may have died in the meantime; then a fresh one gets a
    /// second chance. Twice the same message does no harm.
    async fn send(&mut self, pipe: &Pipeline) -> bool {
        loop {
            let (mut connection, fresh) = match self.connection.take() {
                Some(connection) => (connection, false),
                None => match self.connect().await {
                    Some(connection) => (connection, true),
                    None => return false,
                },
            };
            let within = self.shared.config.timeout;
            match timeout(within, pipe.query_async::<()>(&mut connection)).await {
                Ok(Ok(())) => {
                    self.connection = Some(connection);
                    return true;
                }
                Ok(Err(error)) => tracing::debug!(%error, "publishing failed"),
                Err(_elapsed) => tracing::debug!("publishing took too long"),
            }
            // Not back into the pool.
            drop(Connection::take(connection));
            if fresh {
                self.not_before = Instant::now() + self.backoff.pause();
                return false;
            }
        }
    }

    async fn connect(&mut self) -> Option<Connection> {
        if Instant::now() < self.not_before {
            return None;
        }
        match timeout(self.shared.config.timeout, self.pool.get()).await {
            Ok(Ok(connection)) => return Some(connection),
            Ok(Err(error)) => tracing::debug!(%error, "cannot connect to publish"),
            Err(_elapsed) => tracing::debug!("connecting to publish took too long"),
        }
        self.not_before = Instant::now() + self.backoff.pause();
        None
    }
}

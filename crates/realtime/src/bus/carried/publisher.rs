//! The task that publishes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::backoff::Backoff;
use crate::bus::carried::{Carrier, Parcel, Shared};
use crate::bus::message;
use crate::event::Commit;
use crate::stats::Stats;

/// How many transactions are published in one go.
const BATCH: usize = 128;
/// How many bytes are published in one go, about.
const BATCH_BYTES: usize = 1 << 20;

pub(super) struct Publisher<C: Carrier> {
    shared: Arc<Shared<C>>,
    queued: mpsc::Receiver<Arc<Commit>>,
    stats: Arc<Stats>,
    /// Kept from one batch to the next.
    mouth: Option<C::Mouth>,
    backoff: Backoff,
    /// When to connect again.
    not_before: Instant,
}

impl<C: Carrier> Publisher<C> {
    pub(super) fn new(
        shared: Arc<Shared<C>>,
        queued: mpsc::Receiver<Arc<Commit>>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            backoff: Backoff::new(shared.timing.first_pause, shared.timing.longest_pause),
            shared,
            queued,
            stats,
            mouth: None,
            not_before: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        let token = self.shared.token.clone();
        let mut beats = interval(self.shared.timing.beat);
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
        self.say_goodbye().await;
    }

    /// Publishes what it can, and remembers what others have to be told later.
    async fn publish(&mut self, commits: &mut Vec<Arc<Commit>>, beat: bool) {
        let mut beat = beat;
        while beat || !commits.is_empty() {
            let now = Instant::now();
            let parcel = Parcel {
                beat: std::mem::take(&mut beat).then(|| self.shared.peers.lock().beat(now, false)),
                commits: commits.drain(..batch(commits)).collect(),
                hints: self.shared.owed.take(),
            };
            let sent = parcel.commits.len();
            if self.send(&parcel).await {
                self.backoff.reset();
                self.stats.bus_published.count(sent);
                // The spans of what is published end here.
                drop(parcel);
                if sent > 0 && !C::PACE.is_zero() {
                    sleep(C::PACE).await;
                }
            } else {
                self.stats.bus_publish_failed.count(sent);
                for traced in parcel.commits.iter().filter_map(|c| c.traced.as_ref()) {
                    traced.span.record("otel.status_code", "ERROR");
                }
                let owed = &self.shared.owed;
                parcel.hints.into_iter().for_each(|hint| owed.hint(hint));
                parcel.commits.iter().for_each(|commit| owed.commit(commit));
            }
        }
    }

    /// A connection that has been idle may have died in the meantime; then a fresh one gets a
    /// second chance. Twice the same message does no harm.
    async fn send(&mut self, parcel: &Parcel) -> bool {
        if self.shared.astray.swap(false, Ordering::Relaxed) {
            self.mouth = None;
        }
        loop {
            let (mut mouth, fresh) = match self.mouth.take() {
                Some(mouth) => (mouth, false),
                None => match self.connect().await {
                    Some(mouth) => (mouth, true),
                    None => return false,
                },
            };
            let within = self.shared.timing.timeout;
            match timeout(within, self.shared.carrier.say(&mut mouth, parcel)).await {
                Ok(Ok(())) => {
                    self.mouth = Some(mouth);
                    return true;
                }
                Ok(Err(error)) => tracing::debug!(%error, "publishing failed"),
                Err(_elapsed) => tracing::debug!("publishing took too long"),
            }
            if fresh {
                self.not_before = Instant::now() + self.backoff.pause();
                return false;
            }
        }
    }

    async fn connect(&mut self) -> Option<C::Mouth> {
        if Instant::now() < self.not_before {
            return None;
        }
        match timeout(self.shared.timing.timeout, self.shared.carrier.open()).await {
            Ok(Ok(mouth)) => return Some(mouth),
            Ok(Err(error)) => tracing::debug!(%error, "cannot connect to publish"),
            Err(_elapsed) => tracing::debug!("connecting to publish took too long"),
        }
        self.not_before = Instant::now() + self.backoff.pause();
        None
    }

    /// Without it the others would look out for this worker as for one that is cut off.
    async fn say_goodbye(&mut self) {
        let Some(mut mouth) = self.mouth.take() else {
            return;
        };
        let parcel = Parcel {
            beat: Some(self.shared.peers.lock().beat(Instant::now(), true)),
            hints: self.shared.owed.take(),
            ..Parcel::default()
        };
        let within = self.shared.timing.timeout;
        if !matches!(
            timeout(within, self.shared.carrier.say(&mut mouth, &parcel)).await,
            Ok(Ok(()))
        ) {
            tracing::debug!("no goodbye could be said");
        }
    }
}

/// How many of the first transactions go in one batch.
fn batch(commits: &[Arc<Commit>]) -> usize {
    let mut bytes = 0;
    let fit = commits.iter().take_while(|commit| {
        let fits = bytes < BATCH_BYTES;
        bytes += message::frames(commit);
        fits
    });
    fit.count()
}

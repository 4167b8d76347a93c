//! The hub's way to the log: bounded in number and in time, counted, and mistrustful.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use wire::{RestaurantId, Seq};

use crate::config::HubConfig;
use crate::log::{Head, Log, LogError, Page};
use crate::stats::Stats;

/// Why a question to the log has no answer.
#[derive(Debug)]
pub(crate) enum ReadError {
    NotFound,
    Unavailable,
    /// Events are missing in the middle: the log broke its promise.
    Hole(Head),
}

pub(crate) struct Reader {
    log: Arc<dyn Log>,
    stats: Arc<Stats>,
    timeout: Duration,
    page_events: usize,
    /// Apart from each other, so that many slow sessions do not keep the rooms from the log.
    for_rooms: Semaphore,
    for_sessions: Semaphore,
}

impl Reader {
    pub(crate) fn new(log: Arc<dyn Log>, config: &HubConfig, stats: Arc<Stats>) -> Self {
        Self {
            log,
            stats,
            timeout: config.log_timeout,
            page_events: config.page_events,
            for_rooms: Semaphore::new(config.log_reads),
            for_sessions: Semaphore::new(config.log_reads),
        }
    }

    pub(crate) async fn heads(
        &self,
        restaurants: &[RestaurantId],
    ) -> Result<Vec<(RestaurantId, Head)>, ReadError> {
        self.ask(&self.for_rooms, || self.log.heads(restaurants))
            .await
    }

    pub(crate) async fn head(&self, restaurant: RestaurantId) -> Result<Head, ReadError> {
        let heads = self.heads(&[restaurant]).await?;
        let head = heads.into_iter().find(|(id, _)| *id == restaurant);
        head.map(|(_, head)| head).ok_or(ReadError::NotFound)
    }

    pub(crate) async fn tail(
        &self,
        restaurant: RestaurantId,
        count: usize,
    ) -> Result<Page, ReadError> {
        self.ask(&self.for_rooms, || self.log.tail(restaurant, count))
            .await
    }

    /// A page for a room that misses what follows `after`.
    pub(crate) async fn gap(
        &self,
        restaurant: RestaurantId,
        after: Seq,
    ) -> Result<Page, ReadError> {
        self.read(&self.for_rooms, restaurant, after).await
    }

    /// A page for sessions that stand before their room's recent events.
    pub(crate) async fn backlog(
        &self,
        restaurant: RestaurantId,
        after: Seq,
    ) -> Result<Page, ReadError> {
        self.stats.backlog_reads.add(1);
        self.read(&self.for_sessions, restaurant, after).await
    }

    async fn read(
        &self,
        permits: &Semaphore,
        restaurant: RestaurantId,
        after: Seq,
    ) -> Result<Page, ReadError> {
        let read = || self.log.read(restaurant, after, self.page_events);
        let page = self.ask(permits, read).await?;
        if has_hole(&page, after) {
            self.stats.log_holes.add(1);
            tracing::error!(%restaurant, after, head = ?page.head, "the log has a hole");
            return Err(ReadError::Hole(page.head));
        }
        Ok(page)
    }

    async fn ask<'a, T>(
        &self,
        permits: &Semaphore,
        question: impl FnOnce() -> BoxFuture<'a, Result<T, LogError>>,
    ) -> Result<T, ReadError> {
        // The semaphore is never closed, so there is always a permit to wait for.
        let _permit = permits.acquire().await;
        self.stats.log_reads.add(1);
        // A panic must not end the tasks that keep rooms up to date.
        let answer = AssertUnwindSafe(question()).catch_unwind();
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Ok(Ok(answer))) => return Ok(answer),
            Ok(Ok(Err(LogError::NotFound))) => return Err(ReadError::NotFound),
            Ok(Ok(Err(LogError::Unavailable(cause)))) => {
                tracing::debug!(%cause, "the log cannot be read");
            }
            Ok(Err(_panic)) => tracing::error!("reading the log panicked"),
            Err(_elapsed) => tracing::debug!("the log did not answer in time"),
        }
        self.stats.log_failures.add(1);
        Err(ReadError::Unavailable)
    }
}

/// Whether events that must exist after `after` are missing in the page.
fn has_hole(page: &Page, after: Seq) -> bool {
    let mut expected = after.max(page.head.pruned_seq) + 1;
    if page.events.is_empty() {
        return page.head.last_seq >= expected;
    }
    page.events.iter().any(|event| {
        let hole = event.seq != expected;
        expected += 1;
        hole
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{epoch, page};

    #[test]
    fn holes_are_seen() {
        for (page, after, hole) in [
            (page(epoch(1), 5, 0, []), 5, false),
            (page(epoch(1), 5, 0, []), 4, true),
            (page(epoch(1), 5, 0, [4, 5]), 3, false),
            (page(epoch(1), 5, 0, [5]), 3, true),
            (page(epoch(1), 5, 0, [3, 5]), 2, true),
            (page(epoch(1), 5, 3, [4, 5]), 0, false),
            (page(epoch(1), 5, 3, [5]), 0, true),
            (page(epoch(1), 5, 5, []), 0, false),
            // Behind the question: not a hole, but a contradiction, and judged elsewhere.
            (page(epoch(1), 3, 0, []), 5, false),
        ] {
            assert_eq!(has_hole(&page, after), hole, "{page:?} after {after}");
        }
    }
}

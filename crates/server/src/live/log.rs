//! The event log, as the hub reads it.

use std::sync::Arc;

use domain::db::{Db, serving};
use domain::log::{self, LogPage, LoggedEvent, OwnFrames};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use realtime::{Event, Head, Log, LogError, Own, Page, Told};
use wire::{RestaurantId, Seq};

/// The log in the primary database.
#[derive(Clone, Debug)]
pub struct DatabaseLog(pub Db);

impl Log for DatabaseLog {
    fn heads<'a>(
        &'a self,
        restaurants: &'a [RestaurantId],
    ) -> BoxFuture<'a, Result<Vec<(RestaurantId, Head)>, LogError>> {
        let restaurants = restaurants.to_vec();
        async move {
            let read = self.0.read("log.heads", async move |conn| {
                log::heads(conn, &restaurants).await
            });
            let heads = read.await.map_err(log_error)?;
            Ok(heads
                .into_iter()
                .map(|(id, found)| (id, head(found)))
                .collect())
        }
        .boxed()
    }

    fn read(
        &self,
        restaurant: RestaurantId,
        after: Seq,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, LogError>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        async move {
            let read = self.0.read("log.read", async move |conn| {
                log::read(conn, restaurant, after, limit).await
            });
            serving(restaurant, read).await.map(page).map_err(log_error)
        }
        .boxed()
    }

    fn tail(
        &self,
        restaurant: RestaurantId,
        count: usize,
    ) -> BoxFuture<'_, Result<Page, LogError>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        async move {
            let read = self.0.read("log.tail", async move |conn| {
                log::tail(conn, restaurant, count).await
            });
            serving(restaurant, read).await.map(page).map_err(log_error)
        }
        .boxed()
    }
}

fn head(head: log::Head) -> Head {
    Head {
        epoch: head.epoch,
        last_seq: head.last_seq,
        pruned_seq: head.pruned_seq,
    }
}

fn page(found: LogPage) -> Page {
    Page {
        head: head(found.head),
        events: found.events.into_iter().map(event).collect(),
    }
}

fn event(event: LoggedEvent) -> Event {
    Event {
        seq: event.seq,
        kind: event.kind,
        frame: event.frame.into(),
        public_frame: event.public_frame.map(Into::into),
        own: event.own.map(own),
    }
}

/// What the followers of things hear, as the hub carries it.
pub fn own(frames: OwnFrames) -> Arc<Own> {
    let told = |told: log::Told| Told {
        roots: told.roots.into(),
        frame: told.frame.into(),
    };
    Arc::new(Own {
        now: frames.now.map(told),
        left: frames.left.map(told),
    })
}

fn log_error(error: domain::Error) -> LogError {
    match error {
        domain::Error::NotFound(_) => LogError::NotFound,
        error => LogError::unavailable(error),
    }
}

//! The log as the hub needs it. The server implements it with the database, tests in memory.

use std::error::Error;

use futures_util::future::BoxFuture;
use wire::{Epoch, RestaurantId, Seq};

use crate::event::Event;

/// Where a restaurant's log begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The life of the log.
    pub epoch: Epoch,
    /// The last event; 0 before the first.
    pub last_seq: Seq,
    /// The last event that has been pruned; 0 when none was.
    pub pruned_seq: Seq,
}

/// A piece of a log, with the head that was current when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The head, from the same statement as the events.
    pub head: Head,
    /// Events whose numbers follow on each other.
    pub events: Vec<Event>,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// There is no such restaurant.
    #[error("no such restaurant")]
    NotFound,
    /// The database cannot answer now.
    #[error("the log cannot be read: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl LogError {
    /// The database cannot answer now, because of `cause`.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }
}

/// The truth that rooms follow.
///
/// All three must ask the **primary**: a replica that lags shows heads that have been passed
/// already, which looks like a log that lost its end. Calls come from the hub's own runtime, are
/// bounded in number, and are dropped when they take longer than
/// [`HubConfig::log_timeout`](crate::HubConfig::log_timeout).
pub trait Log: Send + Sync + 'static {
    /// The heads of these restaurants, in one statement. What does not exist is not in the answer.
    fn heads<'a>(
        &'a self,
        restaurants: &'a [RestaurantId],
    ) -> BoxFuture<'a, Result<Vec<(RestaurantId, Head)>, LogError>>;

    /// The first `limit` events after `after`, in one statement with the head. Where they have
    /// been pruned (`after < pruned_seq`), the first that are left.
    fn read(
        &self,
        restaurant: RestaurantId,
        after: Seq,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, LogError>>;

    /// The last `count` events in ascending order, in one statement with the head.
    fn tail(&self, restaurant: RestaurantId, count: usize)
    -> BoxFuture<'_, Result<Page, LogError>>;
}

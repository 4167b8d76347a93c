//! The bus: what commits on one worker, told to the others as fast as possible.
//!
//! The bus is a hint, not the truth. It may lose, double and reorder messages; a room finds out by
//! the sequence numbers and by comparing with the log. So nothing here ever waits for anybody, and
//! nothing is kept for later except the number up to which others should read the log.

pub mod local;
mod message;
pub mod redis;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use wire::{Epoch, RestaurantId, Seq};

use crate::event::Commit;
use crate::stats::Stats;

/// What comes from the bus.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// A transaction of another worker.
    Commit(Arc<Commit>),
    /// A transaction of another worker whose events have to be read from the log.
    Hint(Hint),
    /// Something happened to this restaurant's log, or may have.
    Check(RestaurantId),
    /// From now on nothing is missed. What was missed before has to be found.
    Up,
    /// From now on anything may be missed.
    Down,
}

/// An event that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// In whose log.
    pub restaurant_id: RestaurantId,
    /// In which life of it.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// When it was committed, in Unix milliseconds.
    pub committed_at_ms: u64,
}

/// Who hears the bus: the hub.
pub trait Receiver: Send + Sync + 'static {
    /// Takes what came. Called in the bus's own task, so that there is no queue between the two.
    /// Never waits.
    fn receive(&self, incoming: Incoming);
}

/// Whether a subscription has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// What is published from now on will come.
    Now,
    /// It will begin when the bus can; then comes [`Incoming::Up`] or [`Incoming::Check`].
    Later,
}

/// A connection of one hub with all others.
pub trait Bus: Send + Sync + 'static {
    /// Starts on the current runtime. Called once, by the hub.
    fn start(&self, receiver: Arc<dyn Receiver>, stats: Arc<Stats>);

    /// Tells the others. Never waits; from any runtime.
    fn publish(&self, commit: Arc<Commit>);

    /// Wants to hear of a restaurant, and waits for the confirmation, though not for long.
    fn subscribe(&self, restaurant: RestaurantId) -> BoxFuture<'_, Subscribed>;

    /// Does not want to hear of it any more. Never waits; takes effect in the order of the calls.
    fn unsubscribe(&self, restaurant: RestaurantId);

    /// Ends all tasks.
    fn shutdown(&self) -> BoxFuture<'_, ()>;
}

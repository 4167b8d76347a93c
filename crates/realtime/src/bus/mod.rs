//! The bus: what commits on one worker, told to the others as fast as possible.
//!
//! The bus is a hint, not the truth. It may lose, double and reorder messages; a room finds out by
//! the sequence numbers and by comparing with the log. So nothing here ever waits for anybody, and
//! nothing is kept for later except the number up to which others should read the log.
//!
//! What it does say reliably is how far it can be trusted now ([`Reach`]): the less, the more often
//! the rooms compare. `carried` has what all buses through a server have in common.

mod beat;
mod carried;
pub mod local;
mod message;
mod peers;
pub mod postgres;
pub mod redis;
pub mod sharded;

use std::sync::Arc;
use std::time::Duration;

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
    /// How far a part of the bus reaches from now on. What was missed before has to be found.
    Reach {
        /// Which part; see [`Bus::part_of`].
        part: usize,
        /// How far.
        reach: Reach,
    },
}

/// How much of what commits elsewhere comes by the bus, at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Anything may be missed.
    #[default]
    Down,
    /// The way is open, but not all can be heard on it: a worker that was heard of late is silent
    /// and may be cut off, or what is said takes long to get here.
    Partial,
    /// Everybody who was heard of late is still heard.
    Full,
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
    /// It will begin when the bus can; then comes [`Incoming::Reach`] or [`Incoming::Check`].
    Later,
}

/// What an operator wants to know of a part of the bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartStatus {
    /// How far it reaches.
    pub reach: Reach,
    /// How long ago this worker heard its own beat; `None` when it never did.
    pub last_beat: Option<Duration>,
    /// How long the last beat took to the server and back.
    pub round_trip: Option<Duration>,
    /// Other workers that were heard of late.
    pub heard_workers: usize,
    /// Those of them that are silent now.
    pub silent_workers: usize,
    /// How often it came up, the first time included.
    pub connects: u64,
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

    /// Of how many parts it consists, each of which works or fails as a whole.
    fn parts(&self) -> usize {
        1
    }

    /// Which part carries a restaurant, below [`Bus::parts`].
    fn part_of(&self, _restaurant: RestaurantId) -> usize {
        0
    }

    /// How each part stands; empty for a bus that cannot fail.
    fn status(&self) -> Vec<PartStatus> {
        Vec::new()
    }
}

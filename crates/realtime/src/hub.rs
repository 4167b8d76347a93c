//! The hub: all rooms of this worker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytestring::ByteString;
use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Span;
use wire::live::frames::CloseCode;
use wire::{Position, RestaurantId};

use crate::bulletins::Readers;
use crate::bus::{Bus, Incoming, PartStatus, Reach, Receiver};
use crate::config::HubConfig;
use crate::context::Context;
use crate::dispatch::Dispatchers;
use crate::event::Commit;
use crate::log::Log;
use crate::reader::Reader;
use crate::room::Room;
use crate::seats::Closing;
use crate::stats::Stats;
use crate::trace::{Relay, TracePlace};
use crate::upkeep;

/// A handle on the worker's rooms. Cheap to clone; the rooms end with the last one, or with
/// [`Hub::shutdown`].
#[derive(Clone)]
pub struct Hub {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) context: Arc<Context>,
    pub(crate) bus: Arc<dyn Bus>,
    /// Changed only together with the bus's subscriptions, so that the two agree.
    pub(crate) rooms: RwLock<HashMap<RestaurantId, Arc<Room>>>,
    pub(crate) draining: AtomicBool,
    next_session: AtomicU64,
}

impl Hub {
    /// Starts the hub and its bus on the current runtime, which has to outlive all sessions: what
    /// they read from the log is read here.
    #[must_use]
    pub fn start(config: HubConfig, log: Arc<dyn Log>, bus: Arc<dyn Bus>) -> Self {
        let stats = Arc::new(Stats::default());
        let context = Arc::new(Context {
            reader: Reader::new(log, &config, Arc::clone(&stats)),
            config,
            stats,
            token: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            dispatchers: Dispatchers::default(),
            reach: RwLock::new(vec![Reach::Down; bus.parts()].into()),
            compare_now: Notify::new(),
            #[cfg(feature = "faults")]
            dropper: crate::faults::Dropper::default(),
        });
        let inner = Arc::new(Inner {
            context,
            bus,
            rooms: RwLock::default(),
            draining: AtomicBool::new(false),
            next_session: AtomicU64::new(1),
        });
        let receiver = Arc::new(Ear(Arc::downgrade(&inner)));
        inner.bus.start(receiver, Arc::clone(&inner.context.stats));
        upkeep::start(&inner);
        Self { inner }
    }

    /// Takes a transaction of this worker, directly after its COMMIT was confirmed: serves the
    /// sessions here and hands the frames to the bus. Never waits.
    pub fn committed(&self, commit: Commit) {
        if commit.events.is_empty() {
            return;
        }
        let commit = Arc::new(commit);
        self.inner.context.stats.commits.add(1);
        self.inner.relay(&commit);
        self.inner.bus.publish(commit);
    }

    /// Posts a bulletin to those who follow a restaurant here and hear bulletins: something that is
    /// not in the log and of which, for each key, only the latest counts. Sessions that come later
    /// find it, as long as the room stands; posting the same again is not news to anybody.
    pub fn post(
        &self,
        restaurant: RestaurantId,
        readers: Readers,
        key: &'static str,
        text: ByteString,
    ) {
        if let Some(room) = self.inner.room(restaurant) {
            room.post(readers, key.into(), text);
        }
    }

    /// Takes down what was posted for those who follow a thing that is over.
    pub fn take_down(&self, restaurant: RestaurantId, readers: Readers) {
        if let Some(room) = self.inner.room(restaurant) {
            room.take_down(readers);
        }
    }

    /// Up to where the sessions here that follow a restaurant have been served; `None` when nobody
    /// follows it.
    #[must_use]
    pub fn position(&self, restaurant: RestaurantId) -> Option<Position> {
        let room = self.inner.room(restaurant)?;
        room.look(|window| window.mark().position())
    }

    /// What has been counted so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.inner.context.stats
    }

    /// How far the bus reaches, as far as its worst part. What does not come by it comes by
    /// comparison, within a quarter of a second.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.inner.context.reach()
    }

    /// Whether no part of the bus is down.
    #[must_use]
    pub fn bus_is_up(&self) -> bool {
        self.reach() != Reach::Down
    }

    /// How each part of the bus stands; empty when it cannot fail.
    #[must_use]
    pub fn bus_status(&self) -> Vec<PartStatus> {
        self.inner.bus.status()
    }

    /// Sends all sessions away and ends all tasks, those of the bus included.
    pub async fn shutdown(&self) {
        let inner = &self.inner;
        inner.draining.store(true, Ordering::SeqCst);
        for seat in inner.seats() {
            seat.close(Closing {
                code: CloseCode::GoingAway,
                reconnect_after: None,
            });
        }
        inner.context.token.cancel();
        inner.context.tasks.close();
        inner.bus.shutdown().await;
        inner.context.tasks.wait().await;
    }
}

impl Inner {
    pub(crate) fn room(&self, restaurant: RestaurantId) -> Option<Arc<Room>> {
        self.rooms.read().get(&restaurant).map(Arc::clone)
    }

    pub(crate) fn all_rooms(&self) -> Vec<Arc<Room>> {
        self.rooms.read().values().map(Arc::clone).collect()
    }

    pub(crate) fn next_session(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a room off the list, unless another one has taken its place.
    pub(crate) fn discard(&self, room: &Arc<Room>) {
        room.seats.close();
        room.token.cancel();
        let mut rooms = self.rooms.write();
        if rooms
            .get(&room.id)
            .is_some_and(|known| Arc::ptr_eq(known, room))
        {
            rooms.remove(&room.id);
            self.bus.unsubscribe(room.id);
            self.context.stats.rooms.add(-1);
        }
    }

    fn bus_changed(&self, part: usize, reach: Reach) {
        let context = &self.context;
        let Some(before) = context.set_reach(part, reach) else {
            return;
        };
        if before != reach {
            tracing::info!(part, ?reach, "the bus changed");
        }
        let stats = &context.stats;
        stats.bus_up.set(i64::from(context.reach() != Reach::Down));
        if before == Reach::Down && reach != Reach::Down {
            stats.bus_connects.add(1);
        }
        context.compare_now.notify_one();
    }

    fn receive(&self, incoming: Incoming) {
        match incoming {
            Incoming::Commit(commit) => {
                self.received(commit.committed_at_ms);
                #[cfg(feature = "faults")]
                let commit = {
                    let context = &self.context;
                    context.dropper.receive(context.config.fault, commit)
                };
                self.relay(&commit);
            }
            Incoming::Hint(hint) => {
                self.received(hint.committed_at_ms);
                if let Some(room) = self.room(hint.restaurant_id) {
                    room.hint(hint.epoch, hint.seq);
                }
            }
            Incoming::Check(restaurant) => {
                if let Some(room) = self.room(restaurant) {
                    room.verify();
                }
            }
            Incoming::Reach { part, reach } => self.bus_changed(part, reach),
        }
    }

    /// Hands a commit to those who follow its restaurant here.
    fn relay(&self, commit: &Arc<Commit>) {
        let Some(room) = self.room(commit.restaurant_id) else {
            return;
        };
        match &commit.traced {
            None => room.offer(commit),
            Some(traced) => {
                let span = self.relay_span(&room, commit, traced.place);
                span.in_scope(|| room.offer(commit));
            }
        }
    }

    fn relay_span(&self, room: &Room, commit: &Commit, parent: TracePlace) -> Span {
        let relay = Relay {
            parent,
            restaurant_id: commit.restaurant_id,
            range: commit.range().unwrap_or_default(),
            sessions: room.seats.count(),
            behind_ms: self.ms_since(commit.committed_at_ms),
        };
        (self.context.config.relay_span)(&relay)
    }

    fn received(&self, committed_at_ms: u64) {
        let stats = &self.context.stats;
        stats.bus_received.add(1);
        let lag_ms = self.ms_since(committed_at_ms);
        stats.bus_lag.record(Duration::from_millis(lag_ms));
    }

    /// Two workers' clocks may differ: what seems to come from the future took no time.
    fn ms_since(&self, committed_at_ms: u64) -> u64 {
        (self.context.config.now_ms)().saturating_sub(committed_at_ms)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.context.token.cancel();
    }
}

/// What the bus knows of the hub. Weak, because the hub owns the bus.
struct Ear(Weak<Inner>);

impl Receiver for Ear {
    fn receive(&self, incoming: Incoming) {
        if let Some(hub) = self.0.upgrade() {
            hub.receive(incoming);
        }
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("rooms", &self.inner.rooms.read().len())
            .finish_non_exhaustive()
    }
}

//! The task that subscribes and listens.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use wire::RestaurantId;

use crate::backoff::Backoff;
use crate::bus::carried::link::Order;
use crate::bus::carried::{Carrier, Ear, Fault, Heard, Shared};
use crate::bus::{Incoming, Reach, Receiver};
use crate::stats::Stats;

/// For how long a worker that hears itself puts up with not being heard by others, at first and at
/// most: the reason may be theirs.
const UNHEARD: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(60));

pub(super) struct Subscriber<C> {
    shared: Arc<Shared<C>>,
    receiver: Arc<dyn Receiver>,
    stats: Arc<Stats>,
    /// All that was wanted at the beginning of this connection is subscribed.
    settled: AtomicBool,
    unheard: Mutex<Unheard>,
}

struct Unheard {
    backoff: Backoff,
    /// How long this connection is given the benefit of the doubt.
    borne: Duration,
}

impl Unheard {
    fn bear_it_longer(&mut self) {
        self.borne = self.backoff.pause();
    }
}

/// Why a connection is given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("the server did not answer in time")]
    TooSlow,
    #[error("the connection was closed")]
    Closed,
    #[error("no beat was heard")]
    NoBeat,
    #[error("the server ended a subscription")]
    Ended,
    #[error("others do not hear what is said here: the server may have been demoted")]
    Unheard,
}

impl<C: Carrier> Subscriber<C> {
    pub(super) fn new(
        shared: Arc<Shared<C>>,
        receiver: Arc<dyn Receiver>,
        stats: Arc<Stats>,
    ) -> Self {
        let (first, longest) = UNHEARD;
        let mut backoff = Backoff::new(first, longest);
        let borne = backoff.pause();
        Self {
            shared,
            receiver,
            stats,
            settled: AtomicBool::new(false),
            unheard: Mutex::new(Unheard { backoff, borne }),
        }
    }

    pub(super) async fn run(self) {
        let timing = &self.shared.timing;
        let mut backoff = Backoff::new(timing.first_pause, timing.longest_pause);
        loop {
            let lost = self.connect_and_listen().await;
            self.shared.link.end();
            self.settled.store(false, Ordering::Relaxed);
            if self.reaches(Reach::Down) {
                tracing::warn!(%lost, "the bus is down");
                backoff.reset();
            } else {
                tracing::debug!(%lost, "the bus stays down");
            }
            if matches!(lost, Lost::Unheard) {
                self.unheard.lock().bear_it_longer();
                self.shared.astray.store(true, Ordering::Relaxed);
            }
            sleep(backoff.pause()).await;
        }
    }

    /// Says how far the bus reaches, and whether that is new.
    fn reaches(&self, reach: Reach) -> bool {
        let before = std::mem::replace(&mut *self.shared.reach.lock(), reach);
        if before == Reach::Down && reach != Reach::Down {
            self.shared.connects.fetch_add(1, Ordering::Relaxed);
        }
        if before != reach {
            self.receiver.receive(Incoming::Reach { part: 0, reach });
        }
        before != reach
    }

    /// Listening and arranging go on side by side: while the server confirms a subscription,
    /// messages of others are not kept waiting.
    async fn connect_and_listen(&self) -> Lost {
        let Ear { desk, ways, heard } = match self.in_time(self.shared.carrier.listen()).await {
            Ok(ear) => ear,
            Err(lost) => return lost,
        };
        // The first beat has to wait for the subscription and for the publisher's connection.
        let timing = &self.shared.timing;
        let first_due = Instant::now() + timing.timeout + timing.patience().silent_after;
        self.shared.peers.lock().begin(ways, first_due);
        self.shared.link.beat_wanted.notify_one();
        tokio::select! {
            lost = self.listen(heard) => lost,
            lost = self.arrange(desk) => lost,
        }
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Lost> {
        match timeout(self.shared.timing.timeout, answer).await {
            Ok(answer) => Ok(answer?),
            Err(_elapsed) => Err(Lost::TooSlow),
        }
    }

    async fn arrange(&self, desk: C::Desk) -> Lost {
        match self.carry_out_orders(desk).await {
            Ok(never) => match never {},
            Err(lost) => lost,
        }
    }

    async fn carry_out_orders(&self, mut desk: C::Desk) -> Result<std::convert::Infallible, Lost> {
        let shared = &self.shared;
        let mut subscribed = HashSet::new();
        let wanted = shared.link.begin();
        self.subscribe(&mut desk, &wanted).await?;
        subscribed.extend(wanted);
        self.settled.store(true, Ordering::Relaxed);
        shared.link.beat_wanted.notify_one();
        loop {
            let orders = shared.link.orders().await;
            self.carry_out(&mut desk, &mut subscribed, orders).await?;
        }
    }

    /// What counts is what is wanted now, not the order of the orders.
    async fn carry_out(
        &self,
        desk: &mut C::Desk,
        subscribed: &mut HashSet<RestaurantId>,
        orders: Vec<Order>,
    ) -> Result<(), Lost> {
        let mut come = Vec::new();
        let mut go = Vec::new();
        for order in &orders {
            let id = order.restaurant;
            if self.shared.link.wants(id) {
                if subscribed.insert(id) {
                    come.push(id);
                }
            } else if subscribed.remove(&id) {
                go.push(id);
            }
        }
        self.subscribe(desk, &come).await?;
        for order in orders {
            // Who no longer waits has opened the room without a confirmation, and may have missed
            // what came in between.
            if order
                .confirm
                .is_some_and(|confirm| confirm.send(()).is_err())
            {
                self.receiver.receive(Incoming::Check(order.restaurant));
            }
        }
        for ids in go.chunks(C::ORDERS_AT_ONCE) {
            self.in_time(self.shared.carrier.unsubscribe(desk, ids))
                .await?;
        }
        Ok(())
    }

    async fn subscribe(&self, desk: &mut C::Desk, ids: &[RestaurantId]) -> Result<(), Lost> {
        for ids in ids.chunks(C::ORDERS_AT_ONCE) {
            self.in_time(self.shared.carrier.subscribe(desk, ids))
                .await?;
        }
        Ok(())
    }

    async fn listen(&self, mut heard: BoxStream<'static, Heard>) -> Lost {
        // Often enough to notice a missing beat when it is missed.
        let mut looks = interval(self.shared.timing.beat / 5);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open_since = None;
        loop {
            let lost = tokio::select! {
                // First what has been heard: after a pause of the whole process it explains the
                // silence.
                biased;
                next = heard.next() => match next {
                    Some(heard) => self.hear(heard),
                    None => Err(Lost::Closed),
                },
                _ = looks.tick() => self.look_around(&mut open_since),
            };
            if let Err(lost) = lost {
                return lost;
            }
        }
    }

    fn hear(&self, heard: Heard) -> Result<(), Lost> {
        match heard {
            Heard::Beat(way, beat) => {
                self.shared.peers.lock().hear(way, &beat, Instant::now());
                // The own one may have opened the way.
                if *self.shared.reach.lock() == Reach::Down {
                    self.look_around(&mut None)?;
                }
            }
            Heard::Other(incoming) => self.receiver.receive(incoming),
            Heard::Own => {}
            Heard::Unreadable(restaurant) => {
                self.stats.bus_unreadable.add(1);
                if let Some(restaurant) = restaurant {
                    self.receiver.receive(Incoming::Check(restaurant));
                }
            }
            Heard::Ended(restaurant) => {
                if restaurant.is_none_or(|id| self.shared.link.wants(id)) {
                    return Err(Lost::Ended);
                }
            }
        }
        Ok(())
    }

    /// The way is open when a beat has come from here to the server and back, with all that is
    /// wanted subscribed.
    fn look_around(&self, open_since: &mut Option<Instant>) -> Result<(), Lost> {
        let now = Instant::now();
        let (standing, is_unheard) = {
            let mut peers = self.shared.peers.lock();
            (peers.standing(now), peers.take_unheard())
        };
        if standing.dead {
            return Err(Lost::NoBeat);
        }
        if !standing.open || !self.settled.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.reaches(if standing.complete {
            Reach::Full
        } else {
            Reach::Partial
        });
        // Others do not hear at once that the way is open again.
        let since = *open_since.get_or_insert(now);
        if is_unheard && now.saturating_duration_since(since) > self.unheard.lock().borne {
            return Err(Lost::Unheard);
        }
        Ok(())
    }
}

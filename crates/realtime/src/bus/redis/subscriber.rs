//! The task that subscribes and listens.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, Msg, RedisError, RedisResult};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use wire::RestaurantId;

use crate::backoff::Backoff;
use crate::bus::message::{self, Decoded};
use crate::bus::redis::Shared;
use crate::bus::redis::link::Order;
use crate::bus::{Incoming, Receiver};
use crate::stats::Stats;

/// How many channels are subscribed by one command: a worker with thousands of rooms must not
/// hold the server up when it comes back.
const CHANNELS_AT_ONCE: usize = 256;

pub(super) struct Subscriber {
    shared: Arc<Shared>,
    client: Client,
    receiver: Arc<dyn Receiver>,
    stats: Arc<Stats>,
    /// All that was wanted at the beginning of this connection is subscribed.
    settled: AtomicBool,
    up: AtomicBool,
}

/// Why a connection is given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("the server did not answer in time")]
    TooSlow,
    #[error("the connection was closed")]
    Closed,
    #[error("no beat was heard")]
    NoBeat,
}

impl Subscriber {
    pub(super) fn new(
        shared: Arc<Shared>,
        client: Client,
        receiver: Arc<dyn Receiver>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            shared,
            client,
            receiver,
            stats,
            settled: AtomicBool::new(false),
            up: AtomicBool::new(false),
        }
    }

    pub(super) async fn run(self) {
        let config = &self.shared.config;
        let mut backoff = Backoff::new(config.first_pause, config.longest_pause);
        loop {
            let lost = self.connect_and_listen().await;
            self.shared.link.end();
            self.settled.store(false, Ordering::Relaxed);
            if self.up.swap(false, Ordering::Relaxed) {
                tracing::warn!(%lost, "the bus is down");
                self.receiver.receive(Incoming::Down);
                backoff.reset();
            } else {
                tracing::debug!(%lost, "the bus stays down");
            }
            sleep(backoff.pause()).await;
        }
    }

    /// Listening and arranging go on side by side: while the server confirms a subscription,
    /// messages of others are not kept waiting.
    async fn connect_and_listen(&self) -> Lost {
        let (sink, stream) = match self.in_time(self.client.get_async_pubsub()).await {
            Ok(connection) => connection.split(),
            Err(lost) => return lost,
        };
        tokio::select! {
            lost = self.listen(stream) => lost,
            lost = self.arrange(sink) => lost,
        }
    }

    async fn in_time<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> Result<T, Lost> {
        match timeout(self.shared.config.timeout, answer).await {
            Ok(answer) => Ok(answer?),
            Err(_elapsed) => Err(Lost::TooSlow),
        }
    }

    async fn arrange(&self, sink: PubSubSink) -> Lost {
        match self.carry_out_orders(sink).await {
            Ok(never) => match never {},
            Err(lost) => lost,
        }
    }

    async fn carry_out_orders(
        &self,
        mut sink: PubSubSink,
    ) -> Result<std::convert::Infallible, Lost> {
        let shared = &self.shared;
        self.in_time(sink.subscribe(shared.channels.own())).await?;
        let mut subscribed = HashSet::new();
        let wanted = shared.link.begin();
        self.subscribe(&mut sink, &wanted).await?;
        subscribed.extend(wanted);
        self.settled.store(true, Ordering::Relaxed);
        shared.link.beat_wanted.notify_one();
        loop {
            let orders = shared.link.orders().await;
            self.carry_out(&mut sink, &mut subscribed, orders).await?;
        }
    }

    /// What counts is what is wanted now, not the order of the orders.
    async fn carry_out(
        &self,
        sink: &mut PubSubSink,
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
        self.subscribe(sink, &come).await?;
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
        for ids in go.chunks(CHANNELS_AT_ONCE) {
            self.in_time(sink.unsubscribe(self.names(ids))).await?;
        }
        Ok(())
    }

    async fn subscribe(&self, sink: &mut PubSubSink, ids: &[RestaurantId]) -> Result<(), Lost> {
        for ids in ids.chunks(CHANNELS_AT_ONCE) {
            self.in_time(sink.subscribe(self.names(ids))).await?;
        }
        Ok(())
    }

    fn names(&self, ids: &[RestaurantId]) -> Vec<String> {
        ids.iter().map(|id| self.shared.channels.of(*id)).collect()
    }

    async fn listen(&self, mut stream: PubSubStream) -> Lost {
        let config = &self.shared.config;
        // The first beat has to wait for the subscription and for the publisher's connection.
        let mut silence = pin!(sleep_until(
            Instant::now() + config.timeout + config.patience()
        ));
        loop {
            tokio::select! {
                message = stream.next() => {
                    let Some(message) = message else { return Lost::Closed };
                    if message.get_channel_name() == self.shared.channels.own() {
                        silence.as_mut().reset(Instant::now() + config.patience());
                        self.beat();
                    } else {
                        self.hear(&message);
                    }
                }
                () = &mut silence => return Lost::NoBeat,
            }
        }
    }

    /// The whole way is open: from here to the server and back, with all that is wanted.
    fn beat(&self) {
        if self.settled.load(Ordering::Relaxed) && !self.up.swap(true, Ordering::Relaxed) {
            self.receiver.receive(Incoming::Up);
        }
    }

    fn hear(&self, message: &Msg) {
        let channel = message.get_channel_name();
        let Some(restaurant) = self.shared.channels.restaurant(channel) else {
            self.stats.bus_unreadable.add(1);
            return;
        };
        let bytes = message.get_payload_bytes();
        match message::decode(self.shared.origin, restaurant, bytes) {
            Ok(Decoded::Own) => {}
            Ok(Decoded::Other(incoming)) => self.receiver.receive(incoming),
            Err(message::Unreadable) => {
                self.stats.bus_unreadable.add(1);
                self.receiver.receive(Incoming::Check(restaurant));
            }
        }
    }
}

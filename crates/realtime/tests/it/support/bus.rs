//! A bus on which only the test speaks.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use realtime::bus::{Bus, Incoming, Reach, Receiver, Subscribed};
use realtime::{Commit, Stats};
use tokio::sync::Semaphore;
use wire::RestaurantId;

pub(crate) struct ManualBus {
    receiver: OnceLock<Arc<dyn Receiver>>,
    pub(crate) published: Mutex<Vec<Arc<Commit>>>,
    pub(crate) wanted: Mutex<HashSet<RestaurantId>>,
    /// Without permits, subscribing waits.
    pub(crate) confirmations: Semaphore,
}

impl Default for ManualBus {
    fn default() -> Self {
        Self {
            receiver: OnceLock::new(),
            published: Mutex::default(),
            wanted: Mutex::default(),
            confirmations: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }
}

impl ManualBus {
    pub(crate) fn say(&self, incoming: Incoming) {
        self.receiver
            .get()
            .expect("a started bus")
            .receive(incoming);
    }

    pub(crate) fn reach(&self, reach: Reach) {
        self.say(Incoming::Reach { part: 0, reach });
    }

    pub(crate) fn deliver(&self, commit: &Commit) {
        self.say(Incoming::Commit(Arc::new(commit.clone())));
    }
}

impl Bus for ManualBus {
    fn start(&self, receiver: Arc<dyn Receiver>, _stats: Arc<Stats>) {
        assert!(self.receiver.set(receiver).is_ok(), "started twice");
        self.reach(Reach::Full);
    }

    fn publish(&self, commit: Arc<Commit>) {
        self.published.lock().push(commit);
    }

    fn subscribe(&self, restaurant: RestaurantId) -> BoxFuture<'_, Subscribed> {
        async move {
            let _permit = self.confirmations.acquire().await;
            self.wanted.lock().insert(restaurant);
            Subscribed::Now
        }
        .boxed()
    }

    fn unsubscribe(&self, restaurant: RestaurantId) {
        self.wanted.lock().remove(&restaurant);
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        futures_util::future::ready(()).boxed()
    }
}

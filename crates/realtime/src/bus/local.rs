//! The bus within one process: for a single worker, where it does nothing, and for tests with
//! several.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use parking_lot::RwLock;
use wire::RestaurantId;

use crate::bus::{Bus, Incoming, Reach, Receiver, Subscribed};
use crate::event::Commit;
use crate::stats::Stats;

/// One hub's end of a bus within the process. Always up; delivers in the publisher's task.
pub struct LocalBus {
    id: usize,
    network: Arc<RwLock<Network>>,
}

#[derive(Default)]
struct Network {
    next_id: usize,
    ends: HashMap<usize, End>,
}

struct End {
    receiver: Arc<dyn Receiver>,
    wanted: HashSet<RestaurantId>,
}

impl LocalBus {
    /// A bus with one end.
    #[must_use]
    pub fn new() -> Self {
        Self::on(Arc::default())
    }

    /// Another end of the same bus, for another hub.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::on(Arc::clone(&self.network))
    }

    fn on(network: Arc<RwLock<Network>>) -> Self {
        let id = {
            let mut network = network.write();
            network.next_id += 1;
            network.next_id
        };
        Self { id, network }
    }

    fn end(&self, change: impl FnOnce(&mut End)) {
        if let Some(end) = self.network.write().ends.get_mut(&self.id) {
            change(end);
        }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for LocalBus {
    fn start(&self, receiver: Arc<dyn Receiver>, _stats: Arc<Stats>) {
        receiver.receive(Incoming::Reach {
            part: 0,
            reach: Reach::Full,
        });
        let end = End {
            receiver,
            wanted: HashSet::new(),
        };
        self.network.write().ends.insert(self.id, end);
    }

    fn publish(&self, commit: Arc<Commit>) {
        // Delivered without the lock: hubs hold theirs when they subscribe and unsubscribe.
        let others: Vec<_> = {
            let network = self.network.read();
            let others = network
                .ends
                .iter()
                .filter(|(id, end)| **id != self.id && end.wanted.contains(&commit.restaurant_id));
            others.map(|(_, end)| Arc::clone(&end.receiver)).collect()
        };
        for other in others {
            other.receive(Incoming::Commit(Arc::clone(&commit)));
        }
    }

    fn subscribe(&self, restaurant: RestaurantId) -> BoxFuture<'_, Subscribed> {
        self.end(|end| _ = end.wanted.insert(restaurant));
        future::ready(Subscribed::Now).boxed()
    }

    fn unsubscribe(&self, restaurant: RestaurantId) {
        self.end(|end| _ = end.wanted.remove(&restaurant));
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        self.network.write().ends.remove(&self.id);
        future::ready(()).boxed()
    }
}

impl std::fmt::Debug for LocalBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalBus")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

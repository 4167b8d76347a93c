//! What this worker wants to hear, and what the subscribing task has still to arrange.

use std::collections::HashSet;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use wire::RestaurantId;

/// Callers say what they want; the task makes it so, in its own time and on its own runtime.
#[derive(Default)]
pub(super) struct Link {
    wishes: Mutex<Wishes>,
    /// There are orders to look at.
    ordered: Notify,
    /// A connection listens, or its subscriptions stand: the publisher should let us hear a beat,
    /// now.
    pub(super) beat_wanted: Notify,
}

#[derive(Default)]
struct Wishes {
    wanted: HashSet<RestaurantId>,
    orders: Vec<Order>,
    /// Whether there is a connection on which orders can be carried out.
    linked: bool,
}

/// A restaurant about which something changed; who waits for it is told.
pub(super) struct Order {
    pub(super) restaurant: RestaurantId,
    pub(super) confirm: Option<oneshot::Sender<()>>,
}

impl Link {
    /// What to wait for, if there is a connection.
    pub(super) fn want(&self, restaurant: RestaurantId) -> Option<oneshot::Receiver<()>> {
        let mut wishes = self.wishes.lock();
        wishes.wanted.insert(restaurant);
        if !wishes.linked {
            return None;
        }
        let (confirm, confirmed) = oneshot::channel();
        wishes.orders.push(Order {
            restaurant,
            confirm: Some(confirm),
        });
        self.ordered.notify_one();
        Some(confirmed)
    }

    pub(super) fn unwant(&self, restaurant: RestaurantId) {
        let mut wishes = self.wishes.lock();
        wishes.wanted.remove(&restaurant);
        if wishes.linked {
            wishes.orders.push(Order {
                restaurant,
                confirm: None,
            });
            self.ordered.notify_one();
        }
    }

    /// There is a connection, on which all of these have to be subscribed first.
    pub(super) fn begin(&self) -> Vec<RestaurantId> {
        let mut wishes = self.wishes.lock();
        wishes.linked = true;
        wishes.wanted.iter().copied().collect()
    }

    /// There is no connection any more. Nobody waits in vain: dropping an order tells.
    pub(super) fn end(&self) {
        let mut wishes = self.wishes.lock();
        wishes.linked = false;
        wishes.orders.clear();
    }

    pub(super) async fn orders(&self) -> Vec<Order> {
        loop {
            let orders = std::mem::take(&mut self.wishes.lock().orders);
            if !orders.is_empty() {
                return orders;
            }
            self.ordered.notified().await;
        }
    }

    pub(super) fn wants(&self, restaurant: RestaurantId) -> bool {
        self.wishes.lock().wanted.contains(&restaurant)
    }
}

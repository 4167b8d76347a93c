//! What all buses through a server have in common.
//!
//! One connection listens, one publishes. Both belong to tasks on the runtime on which the bus was
//! started; callers on other runtimes only leave word. How the server is spoken to is a
//! [`Carrier`]'s matter.

mod link;
mod owed;
mod publisher;
mod subscriber;

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::RestaurantId;

use crate::bus::beat::{Beat, Way};
use crate::bus::peers::{Patience, Peers};
use crate::bus::{Bus, Hint, Incoming, PartStatus, Reach, Receiver, Subscribed};
use crate::event::Commit;
use crate::stats::Stats;
use link::Link;
use owed::Owed;
use publisher::Publisher;
use subscriber::Subscriber;

/// What went wrong with a connection; only ever shown in a log.
pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// How a kind of server is spoken to. Nothing here has to mind the time: callers do.
pub(crate) trait Carrier: Send + Sync + 'static {
    /// Where subscriptions are ordered, on the connection that listens.
    type Desk: Send;
    /// A connection that publishes.
    type Mouth: Send;

    /// How many subscriptions are ordered before the confirmation of all is waited for: a worker
    /// with thousands of rooms must not hold the server up when it comes back.
    const ORDERS_AT_ONCE: usize;
    /// The least time between two parcels.
    const PACE: Duration;

    /// Opens a connection on which the beats of all workers are heard already.
    fn listen(&self) -> impl Future<Output = Result<Ear<Self::Desk>, Fault>> + Send;

    /// Hears of these restaurants from now on.
    fn subscribe(
        &self,
        desk: &mut Self::Desk,
        restaurants: &[RestaurantId],
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Does not hear of them any more.
    fn unsubscribe(
        &self,
        desk: &mut Self::Desk,
        restaurants: &[RestaurantId],
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Opens a connection that publishes.
    fn open(&self) -> impl Future<Output = Result<Self::Mouth, Fault>> + Send;

    /// Publishes, and waits until the server has confirmed all of it.
    fn say(
        &self,
        mouth: &mut Self::Mouth,
        parcel: &Parcel,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A connection that listens.
pub(crate) struct Ear<D> {
    pub(crate) desk: D,
    /// The ways on which this worker must hear its own beat.
    pub(crate) ways: Vec<Way>,
    /// What is heard; ends with the connection.
    pub(crate) heard: BoxStream<'static, Heard>,
}

impl<D> Ear<D> {
    pub(crate) fn with_desk<E>(self, make: impl FnOnce(D) -> E) -> Ear<E> {
        Ear {
            desk: make(self.desk),
            ways: self.ways,
            heard: self.heard,
        }
    }
}

/// What comes over a connection.
pub(crate) enum Heard {
    Beat(Way, Beat),
    Other(Incoming),
    /// This worker's own message.
    Own,
    /// Something about this restaurant, if it can be told about which one.
    Unreadable(Option<RestaurantId>),
    /// The server has ended a subscription, perhaps without having been asked to.
    Ended(Option<RestaurantId>),
}

/// What is published in one go.
#[derive(Default)]
pub(crate) struct Parcel {
    pub(crate) beat: Option<Beat>,
    pub(crate) commits: Vec<Arc<Commit>>,
    pub(crate) hints: Vec<Hint>,
}

/// What is the same for every kind of server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// How long connecting, subscribing and publishing may take.
    pub(crate) timeout: Duration,
    /// How often every worker says that it lives.
    pub(crate) beat: Duration,
    /// After which time a silent worker is believed to be dead.
    pub(crate) forget: Duration,
    /// The first pause before connecting again; it doubles.
    pub(crate) first_pause: Duration,
    /// The longest pause before connecting again.
    pub(crate) longest_pause: Duration,
}

impl Timing {
    pub(crate) const DEFAULT: Self = Self {
        timeout: Duration::from_secs(1),
        beat: Duration::from_millis(500),
        forget: Duration::from_secs(600),
        first_pause: Duration::from_millis(50),
        longest_pause: Duration::from_secs(2),
    };

    fn patience(&self) -> Patience {
        Patience {
            // Two beats were missed; a third of one is for being late.
            silent_after: self.beat * 2 + self.beat / 3,
            forgotten_after: self.forget,
            // Comparing brings changes within a quarter of a second; so should the bus.
            slow_from: self.beat * 2 / 5,
        }
    }
}

/// One worker's end of a bus through a server.
pub(crate) struct CarriedBus<C> {
    shared: Arc<Shared<C>>,
    queue: mpsc::Sender<Arc<Commit>>,
    /// Taken by the publisher at the start.
    queued: Mutex<Option<mpsc::Receiver<Arc<Commit>>>>,
    stats: OnceLock<Arc<Stats>>,
    tasks: TaskTracker,
}

/// What the two tasks and the callers share.
struct Shared<C> {
    carrier: C,
    timing: Timing,
    link: Link,
    owed: Owed,
    peers: Mutex<Peers>,
    reach: Mutex<Reach>,
    connects: AtomicU64,
    /// The publishing connection leads to a server on which others do not listen.
    astray: AtomicBool,
    token: CancellationToken,
}

impl<C: Carrier> CarriedBus<C> {
    /// A bus that will connect when it is started, and goes on trying as long as it cannot. At
    /// most `queue` transactions wait to be published.
    pub(crate) fn new(carrier: C, origin: u64, shards: u16, timing: Timing, queue: usize) -> Self {
        let (queue, queued) = mpsc::channel(queue);
        Self {
            shared: Arc::new(Shared {
                carrier,
                timing,
                link: Link::default(),
                owed: Owed::default(),
                peers: Mutex::new(Peers::new(origin, shards, timing.patience())),
                reach: Mutex::default(),
                connects: AtomicU64::new(0),
                astray: AtomicBool::new(false),
                token: CancellationToken::new(),
            }),
            queue,
            queued: Mutex::new(Some(queued)),
            stats: OnceLock::new(),
            tasks: TaskTracker::new(),
        }
    }
}

impl<C: Carrier> Bus for CarriedBus<C> {
    fn start(&self, receiver: Arc<dyn Receiver>, stats: Arc<Stats>) {
        let Some(queued) = self.queued.lock().take() else {
            return;
        };
        let stats = Arc::clone(self.stats.get_or_init(|| stats));
        let publisher = Publisher::new(Arc::clone(&self.shared), queued, Arc::clone(&stats));
        let subscriber = Subscriber::new(Arc::clone(&self.shared), receiver, stats);
        self.tasks.spawn(publisher.run());
        let token = self.shared.token.clone();
        self.tasks
            .spawn(token.run_until_cancelled_owned(subscriber.run()));
    }

    fn publish(&self, commit: Arc<Commit>) {
        let Err(refused) = self.queue.try_send(commit) else {
            return;
        };
        if let Some(stats) = self.stats.get() {
            stats.bus_dropped.add(1);
        }
        self.shared.owed.commit(&refused.into_inner());
    }

    fn subscribe(&self, restaurant: RestaurantId) -> BoxFuture<'_, Subscribed> {
        let confirmed = self.shared.link.want(restaurant);
        let within = self.shared.timing.timeout;
        async move {
            match confirmed {
                Some(confirmed) => match timeout(within, confirmed).await {
                    Ok(Ok(())) => Subscribed::Now,
                    Ok(Err(_)) | Err(_) => Subscribed::Later,
                },
                None => Subscribed::Later,
            }
        }
        .boxed()
    }

    fn unsubscribe(&self, restaurant: RestaurantId) {
        self.shared.link.unwant(restaurant);
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        self.shared.token.cancel();
        self.tasks.close();
        self.tasks.wait().boxed()
    }

    fn status(&self) -> Vec<PartStatus> {
        let peers = self.shared.peers.lock();
        let now = Instant::now();
        vec![PartStatus {
            reach: *self.shared.reach.lock(),
            last_beat: peers.last_own().map(|at| now.saturating_duration_since(at)),
            round_trip: peers.round_trip(),
            heard_workers: peers.heard(),
            silent_workers: peers.silent(now),
            connects: self.shared.connects.load(Ordering::Relaxed),
        }]
    }
}

impl<C> Drop for CarriedBus<C> {
    fn drop(&mut self) {
        self.shared.token.cancel();
    }
}

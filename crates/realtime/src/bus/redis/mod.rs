//! The bus through Redis pub/sub.
//!
//! One connection subscribes, one publishes. Both belong to tasks on the runtime on which the bus
//! was started; callers on other runtimes only leave word. Channels: `<prefix>restaurant:<id>`,
//! and for each worker one of its own, on which it hears its own beat.

mod channels;
mod link;
mod owed;
mod publisher;
mod subscriber;

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool_redis::{Manager, Pool};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::RestaurantId;

use crate::bus::{Bus, Receiver, Subscribed};
use crate::event::Commit;
use crate::stats::Stats;
use channels::Channels;
use link::Link;
use owed::Owed;
use publisher::Publisher;
use subscriber::Subscriber;

/// How Redis is reached and when it is believed to be away.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user:password@]host[:port][/db]`.
    pub url: String,
    /// What all channels begin with, so that several installations can share a server.
    pub prefix: String,
    /// The name of this worker, to be recognised in `PUBSUB CHANNELS`. Need not be unique.
    pub worker_id: String,
    /// How long connecting, subscribing and publishing may take.
    pub timeout: Duration,
    /// How often the worker says something to itself. When it has missed that twice the bus is
    /// down, whatever the socket says.
    pub beat: Duration,
    /// How many transactions may wait to be published.
    pub queue: usize,
    /// The first pause before connecting again; it doubles.
    pub first_pause: Duration,
    /// The longest pause before connecting again.
    pub longest_pause: Duration,
}

impl RedisConfig {
    /// The defaults.
    #[must_use]
    pub fn new(
        url: impl Into<String>,
        prefix: impl Into<String>,
        worker_id: impl Into<String>,
    ) -> Self {
        Self {
            url: url.into(),
            prefix: prefix.into(),
            worker_id: worker_id.into(),
            timeout: Duration::from_secs(1),
            beat: Duration::from_millis(500),
            queue: 4096,
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(2),
        }
    }

    /// How long without a beat means that two were missed: a third of a beat is for being late.
    fn patience(&self) -> Duration {
        self.beat * 2 + self.beat / 3
    }
}

impl std::fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the URL: it may hold a password.
        f.debug_struct("RedisConfig")
            .field("prefix", &self.prefix)
            .field("worker_id", &self.worker_id)
            .finish_non_exhaustive()
    }
}

/// The URL is not one of a Redis server.
#[derive(Debug, thiserror::Error)]
#[error("not a Redis URL: {0}")]
pub struct BadRedisUrl(#[source] Box<dyn Error + Send + Sync>);

impl BadRedisUrl {
    fn because(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// One worker's end of the bus.
pub struct RedisBus {
    shared: Arc<Shared>,
    client: Client,
    pool: Pool,
    queue: mpsc::Sender<Arc<Commit>>,
    /// Taken by the publisher at the start.
    queued: Mutex<Option<mpsc::Receiver<Arc<Commit>>>>,
    stats: OnceLock<Arc<Stats>>,
    tasks: TaskTracker,
}

/// What the two tasks and the callers share.
struct Shared {
    config: RedisConfig,
    channels: Channels,
    /// Marks this bus's own messages.
    origin: u64,
    link: Link,
    owed: Owed,
    token: CancellationToken,
}

impl RedisBus {
    /// A bus that will connect when it is started, and goes on trying as long as it cannot.
    ///
    /// # Errors
    /// When the URL is none, or of a kind that this build cannot reach.
    pub fn new(config: RedisConfig) -> Result<Self, BadRedisUrl> {
        let info = config.url.as_str().into_connection_info();
        // Otherwise the kernel holds a small message back until the last one is acknowledged.
        let tcp = TcpSettings::default().set_nodelay(true);
        let info = info.map_err(BadRedisUrl::because)?.set_tcp_settings(tcp);
        let client = Client::open(info.clone()).map_err(BadRedisUrl::because)?;
        let options = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout));
        let manager = Manager::new_with_config(info, options).map_err(BadRedisUrl::because)?;
        // The one connection that publishes, and the one that takes its place.
        let pool = Pool::builder(manager)
            .max_size(2)
            .build()
            .map_err(BadRedisUrl::because)?;
        // Two workers may bear the same name by mistake; they must not take each other's messages
        // for their own.
        let origin = rand::random();
        let (queue, queued) = mpsc::channel(config.queue);
        Ok(Self {
            shared: Arc::new(Shared {
                channels: Channels::new(&config, origin),
                origin,
                config,
                link: Link::default(),
                owed: Owed::default(),
                token: CancellationToken::new(),
            }),
            client,
            pool,
            queue,
            queued: Mutex::new(Some(queued)),
            stats: OnceLock::new(),
            tasks: TaskTracker::new(),
        })
    }
}

impl Bus for RedisBus {
    fn start(&self, receiver: Arc<dyn Receiver>, stats: Arc<Stats>) {
        let Some(queued) = self.queued.lock().take() else {
            return;
        };
        let stats = Arc::clone(self.stats.get_or_init(|| stats));
        let publisher = Publisher::new(
            Arc::clone(&self.shared),
            self.pool.clone(),
            queued,
            Arc::clone(&stats),
        );
        let subscriber = Subscriber::new(
            Arc::clone(&self.shared),
            self.client.clone(),
            receiver,
            stats,
        );
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
        let within = self.shared.config.timeout;
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
        async move {
            self.tasks.wait().await;
            // The publisher gave its connection back.
            self.pool.close();
        }
        .boxed()
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.shared.token.cancel();
    }
}

impl std::fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RedisBus")
            .field(&self.shared.config)
            .finish()
    }
}

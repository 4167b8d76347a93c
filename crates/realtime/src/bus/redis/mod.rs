//! The bus through Redis pub/sub.
//!
//! Channels: `<prefix>restaurant:{<id>}`, and `<prefix>workers:{<way>}` for the beats of all
//! workers. A Redis Cluster is spoken to by its sharded commands, so that a message goes to the
//! master of its restaurant's slot and not to every node.

mod channels;
mod cluster;
mod single;

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{FutureExt, TryFutureExt};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    TlsCertificates,
};
use wire::RestaurantId;

use crate::bus::Bus;
use crate::bus::beat::Beat;
use crate::bus::carried::{CarriedBus, Carrier, Ear, Fault, Heard, Parcel, Timing};
use crate::bus::message::{self, Decoded};
use crate::bus::sharded::ShardedBus;
use channels::{Channel, Channels};

/// How Redis is reached and when it is believed to be away.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS, one or several. Several are servers that share
    /// the restaurants between them, or seeds of one cluster when `cluster` is
    /// [`Always`](Cluster::Always). All workers must be given the same in the same order.
    pub urls: Vec<String>,
    /// The certificates of the authorities that `rediss://` servers are verified by, as PEM;
    /// without them the system's.
    pub authorities: Option<Vec<u8>>,
    /// What all channels begin with, so that several installations can share a server.
    pub prefix: String,
    /// Whether this is a Redis Cluster.
    pub cluster: Cluster,
    /// How long connecting, subscribing and publishing may take.
    pub timeout: Duration,
    /// How often every worker says that it lives. When it has not heard itself twice the bus is
    /// down, whatever the socket says.
    pub beat: Duration,
    /// How long a worker that went silent without a goodbye is taken to be cut off, not dead:
    /// meanwhile the others look for its commits in the log.
    pub forget: Duration,
    /// How many transactions may wait to be published.
    pub queue: usize,
    /// The first pause before connecting again; it doubles.
    pub first_pause: Duration,
    /// The longest pause before connecting again.
    pub longest_pause: Duration,
}

/// Whether a server is a node of a Redis Cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cluster {
    /// The server is asked.
    #[default]
    Ask,
    /// It is, and the URLs are nodes of one.
    Always,
    /// It is not.
    Never,
}

impl RedisConfig {
    /// The defaults.
    #[must_use]
    pub fn new(urls: impl IntoIterator<Item = impl Into<String>>, prefix: &str) -> Self {
        let timing = Timing::DEFAULT;
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            authorities: None,
            prefix: prefix.to_owned(),
            cluster: Cluster::Ask,
            timeout: timing.timeout,
            beat: timing.beat,
            forget: timing.forget,
            queue: 4096,
            first_pause: timing.first_pause,
            longest_pause: timing.longest_pause,
        }
    }

    /// A bus that will connect when it is started, and goes on trying as long as it cannot.
    ///
    /// # Errors
    /// When there is no URL, or one that is none or of a kind that this build cannot reach.
    pub fn bus(&self) -> Result<Arc<dyn Bus>, BadRedisUrl> {
        let mut servers = Vec::new();
        for url in &self.urls {
            servers.push(redis_server(url, self.authorities.as_deref())?);
        }
        let shards: Vec<_> = if self.cluster == Cluster::Always {
            vec![servers]
        } else {
            servers.into_iter().map(|server| vec![server]).collect()
        };
        let count = u16::try_from(shards.len()).map_err(BadRedisUrl::because)?;
        let mut buses: Vec<Arc<dyn Bus>> = Vec::new();
        for seeds in shards {
            // Two workers may bear the same name by mistake, so it is not by that that they know
            // their own messages.
            let origin = rand::random();
            let carrier = RedisCarrier::new(self, seeds, origin)?;
            let timing = self.timing();
            let bus = CarriedBus::new(carrier, origin, count, timing, self.queue);
            buses.push(Arc::new(bus));
        }
        match (buses.pop(), buses.is_empty()) {
            (None, _) => Err(BadRedisUrl::because("there is none")),
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                buses.push(last);
                Ok(Arc::new(ShardedBus::new(buses)))
            }
        }
    }

    fn timing(&self) -> Timing {
        Timing {
            timeout: self.timeout,
            beat: self.beat,
            forget: self.forget,
            first_pause: self.first_pause,
            longest_pause: self.longest_pause,
        }
    }
}

impl std::fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the URLs: they may hold a password.
        f.debug_struct("RedisConfig")
            .field("servers", &self.urls.len())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// A URL is not one of a Redis server.
#[derive(Debug, thiserror::Error)]
#[error("not a Redis URL: {0}")]
pub struct BadRedisUrl(#[source] Box<dyn Error + Send + Sync>);

impl BadRedisUrl {
    fn because(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// How a server is reached: by TLS if its URL is `rediss://`. Its certificate must then come from
/// one of these `authorities`, in PEM, or without them from one of the system's, and bear the name
/// in the URL. `rediss://…/#insecure` believes any server, whatever the authorities.
///
/// # Errors
/// When the URL is none, or the authorities are no certificates.
pub fn redis_server(url: &str, authorities: Option<&[u8]>) -> Result<ConnectionInfo, BadRedisUrl> {
    let info = url.into_connection_info().map_err(BadRedisUrl::because)?;
    // Otherwise the kernel holds a small message back until the last one is acknowledged.
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let client = match authorities {
        Some(authorities) if is_verified(&info) => {
            Client::build_with_tls(info, trusting(authorities))
        }
        _ => Client::open(info),
    };
    let client = client.map_err(BadRedisUrl::because)?;
    Ok(client.get_connection_info().clone())
}

/// Whether the server has to prove who it is.
fn is_verified(server: &ConnectionInfo) -> bool {
    matches!(
        server.addr(),
        ConnectionAddr::TcpTls {
            insecure: false,
            ..
        }
    )
}

/// TLS with these authorities instead of the system's.
fn trusting(authorities: &[u8]) -> TlsCertificates {
    TlsCertificates {
        client_tls: None,
        root_cert: Some(authorities.to_vec()),
    }
}

/// A server or a cluster, whichever it proves to be.
struct RedisCarrier {
    single: single::Single,
    cluster: cluster::Cluster,
    /// What the configuration says, or the server said: it does not become a cluster later.
    is_cluster: OnceLock<bool>,
}

/// What both kinds need to know of a bus.
#[derive(Clone)]
struct Speech {
    channels: Channels,
    /// Marks this bus's own messages.
    origin: u64,
}

enum Either<S, C> {
    Single(S),
    Cluster(C),
}

impl RedisCarrier {
    fn new(
        config: &RedisConfig,
        seeds: Vec<ConnectionInfo>,
        origin: u64,
    ) -> Result<Self, BadRedisUrl> {
        let first = seeds.first().cloned();
        let first = first.ok_or_else(|| BadRedisUrl::because("there is none"))?;
        let speech = Speech {
            channels: Channels::new(&config.prefix),
            origin,
        };
        let options = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout));
        let client = Client::open(first).map_err(BadRedisUrl::because)?;
        Ok(Self {
            single: single::Single::new(client, options, speech.clone()),
            cluster: cluster::Cluster::new(
                seeds,
                config.authorities.as_deref().map(trusting),
                config.timeout,
                speech,
            ),
            is_cluster: match config.cluster {
                Cluster::Ask => OnceLock::new(),
                Cluster::Always => OnceLock::from(true),
                Cluster::Never => OnceLock::from(false),
            },
        })
    }

    async fn is_cluster(&self) -> Result<bool, Fault> {
        if let Some(known) = self.is_cluster.get() {
            return Ok(*known);
        }
        let asked = self.single.is_cluster().await?;
        Ok(*self.is_cluster.get_or_init(|| asked))
    }
}

impl Carrier for RedisCarrier {
    type Desk = Either<single::Desk, cluster::Connection>;
    type Mouth = Either<single::Mouth, cluster::Mouth>;

    const ORDERS_AT_ONCE: usize = 256;
    const PACE: Duration = Duration::ZERO;

    async fn listen(&self) -> Result<Ear<Self::Desk>, Fault> {
        if self.is_cluster().await? {
            let ear = self.cluster.listen().await?;
            Ok(ear.with_desk(Either::Cluster))
        } else {
            let ear = self.single.listen().await?;
            Ok(ear.with_desk(Either::Single))
        }
    }

    async fn subscribe(&self, desk: &mut Self::Desk, ids: &[RestaurantId]) -> Result<(), Fault> {
        match desk {
            Either::Single(desk) => self.single.subscribe(desk, ids).boxed(),
            Either::Cluster(desk) => self.cluster.subscribe(desk, ids).boxed(),
        }
        .await
    }

    async fn unsubscribe(&self, desk: &mut Self::Desk, ids: &[RestaurantId]) -> Result<(), Fault> {
        match desk {
            Either::Single(desk) => self.single.unsubscribe(desk, ids).boxed(),
            Either::Cluster(desk) => self.cluster.unsubscribe(desk, ids).boxed(),
        }
        .await
    }

    async fn open(&self) -> Result<Self::Mouth, Fault> {
        if self.is_cluster().await? {
            self.cluster.open().map_ok(Either::Cluster).await
        } else {
            self.single.open().map_ok(Either::Single).await
        }
    }

    async fn say(&self, mouth: &mut Self::Mouth, parcel: &Parcel) -> Result<(), Fault> {
        match mouth {
            Either::Single(mouth) => self.single.say(mouth, parcel).boxed(),
            Either::Cluster(mouth) => self.cluster.say(mouth, parcel).boxed(),
        }
        .await
    }
}

impl Speech {
    /// What a message on a channel says.
    fn understand(&self, channel: &[u8], message: &[u8]) -> Heard {
        match self.channels.read(channel) {
            Some(Channel::Workers(way)) => match Beat::decode(message) {
                Some(beat) => Heard::Beat(way, beat),
                None => Heard::Unreadable(None),
            },
            Some(Channel::Restaurant(id)) => match message::decode(self.origin, id, message) {
                Ok(Decoded::Own) => Heard::Own,
                Ok(Decoded::Other(incoming)) => Heard::Other(incoming),
                Err(message::Unreadable) => Heard::Unreadable(Some(id)),
            },
            None => Heard::Unreadable(None),
        }
    }

    /// The messages of a parcel without its beat, each with whom it is about.
    fn messages(&self, parcel: &Parcel) -> Result<Vec<(RestaurantId, Vec<u8>)>, Fault> {
        let mut messages = Vec::with_capacity(parcel.commits.len() + parcel.hints.len());
        for commit in &parcel.commits {
            let message = message::encode(self.origin, commit)?;
            messages.push((commit.restaurant_id, message));
        }
        for hint in &parcel.hints {
            let message = message::encode_hint(self.origin, hint)?;
            messages.push((hint.restaurant_id, message));
        }
        Ok(messages)
    }

    fn names(&self, ids: &[RestaurantId]) -> Vec<String> {
        ids.iter().map(|id| self.channels.of(*id)).collect()
    }
}

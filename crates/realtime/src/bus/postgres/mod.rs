//! The bus through PostgreSQL's `LISTEN` and `NOTIFY`, for small installations without Redis.
//!
//! It carries only how far a restaurant's log goes; who has the room reads the log. `NOTIFY` is
//! sent after the commit on a connection of its own: within the write's transaction it would make
//! all commits of the database wait for each other. What commits while one notification is under
//! way goes together into the next.
//!
//! Each worker holds two connections. They have to be sessions of their own: a pooler that hands
//! the server's connection to somebody else between statements (`PgBouncer` with
//! `pool_mode=transaction`) makes the worker deaf, which it notices by its beat.

mod notice;

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, stream};
use tls::PostgresServer;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, Statement};
use tokio_util::task::AbortOnDropHandle;
use wire::RestaurantId;

use crate::bus::beat::Way;
use crate::bus::carried::{CarriedBus, Carrier, Ear, Fault, Heard, Parcel, Timing};
use crate::bus::{Bus, Hint, Incoming};
use notice::Notice;

/// A database is one installation: the name need not say which.
const CHANNEL: &str = "qtable_bus";
/// There is only one.
const WAY: Way = 0;

/// How the database is reached and when it is believed to be away.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// The primary.
    pub server: PostgresServer,
    /// How long connecting, subscribing and publishing may take.
    pub timeout: Duration,
    /// How often every worker says that it lives. When it has not heard itself twice the bus is
    /// down, whatever the socket says.
    pub beat: Duration,
    /// How many transactions may wait to be published.
    pub queue: usize,
}

impl PostgresConfig {
    /// The defaults.
    #[must_use]
    pub fn new(server: PostgresServer) -> Self {
        let timing = Timing::DEFAULT;
        Self {
            server,
            timeout: timing.timeout,
            beat: timing.beat,
            queue: 4096,
        }
    }

    /// A bus that will connect when it is started, and goes on trying as long as it cannot.
    #[must_use]
    pub fn bus(&self) -> Arc<dyn Bus> {
        let mut server = self.server.clone();
        server
            .config()
            .application_name("qtable bus")
            .connect_timeout(self.timeout);
        let origin = rand::random();
        let carrier = PostgresCarrier { server, origin };
        let timing = Timing {
            timeout: self.timeout,
            beat: self.beat,
            ..Timing::DEFAULT
        };
        Arc::new(CarriedBus::new(carrier, origin, 1, timing, self.queue))
    }
}

struct PostgresCarrier {
    server: PostgresServer,
    origin: u64,
}

struct Connection {
    client: Client,
    /// What is notified, for who wants to hear it.
    notified: mpsc::UnboundedReceiver<String>,
    driver: AbortOnDropHandle<()>,
}

struct Mouth {
    client: Client,
    notify: Statement,
    _driver: AbortOnDropHandle<()>,
}

impl PostgresCarrier {
    async fn connect(&self) -> Result<Connection, Fault> {
        let (client, mut connection) = self.server.connect().await?;
        let (heard, notified) = mpsc::unbounded_channel();
        let driver = tokio::spawn(async move {
            // Ends with the connection, and then so does what is heard.
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(notification) = message {
                    // Who only speaks does not listen.
                    let _unheard = heard.send(notification.payload().to_owned());
                }
            }
        });
        Ok(Connection {
            client,
            notified,
            driver: AbortOnDropHandle::new(driver),
        })
    }

    fn understand(origin: u64, payload: &str) -> Vec<Heard> {
        match Notice::decode(payload) {
            Some(Notice::Beat(beat)) => vec![Heard::Beat(WAY, beat)],
            Some(Notice::Heads { origin: own, .. }) if own == origin => vec![Heard::Own],
            Some(Notice::Heads { heads, .. }) => heads
                .into_iter()
                .map(|head| Heard::Other(Incoming::Hint(head.into())))
                .collect(),
            None => vec![Heard::Unreadable(None)],
        }
    }
}

impl Carrier for PostgresCarrier {
    /// Everybody hears everything; the connection stays open as long as this is held.
    type Desk = Client;
    type Mouth = Mouth;

    const ORDERS_AT_ONCE: usize = usize::MAX;
    /// Each notification wakes every listener, and no two commit at the same time.
    const PACE: Duration = Duration::from_millis(5);

    async fn listen(&self) -> Result<Ear<Client>, Fault> {
        let Connection {
            client,
            notified,
            driver,
        } = self.connect().await?;
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        let origin = self.origin;
        let payloads = stream::unfold((notified, driver), |(mut notified, driver)| async move {
            let payload = notified.recv().await?;
            Some((payload, (notified, driver)))
        });
        let heard =
            payloads.flat_map(move |payload| stream::iter(Self::understand(origin, &payload)));
        Ok(Ear {
            desk: client,
            ways: vec![WAY],
            heard: heard.boxed(),
        })
    }

    async fn subscribe(&self, _: &mut Client, _: &[RestaurantId]) -> Result<(), Fault> {
        Ok(())
    }

    async fn unsubscribe(&self, _: &mut Client, _: &[RestaurantId]) -> Result<(), Fault> {
        Ok(())
    }

    async fn open(&self) -> Result<Mouth, Fault> {
        let Connection { client, driver, .. } = self.connect().await?;
        let notify = format!("SELECT pg_notify('{CHANNEL}', $1)");
        let notify = client.prepare(&notify).await?;
        Ok(Mouth {
            client,
            notify,
            _driver: driver,
        })
    }

    async fn say(&self, mouth: &mut Mouth, parcel: &Parcel) -> Result<(), Fault> {
        let mut notices = Vec::new();
        if let Some(beat) = &parcel.beat {
            notices.push(Notice::Beat(beat.clone()).encode()?);
        }
        let heads: Vec<_> = coalesced(parcel).into_iter().map(Into::into).collect();
        for heads in heads.chunks(notice::HINTS) {
            let notice = Notice::Heads {
                origin: self.origin,
                heads: heads.to_vec(),
            };
            notices.push(notice.encode()?);
        }
        let Mouth { client, notify, .. } = mouth;
        try_join_all(
            notices
                .iter()
                .map(async |notice| client.execute(&*notify, &[notice]).await),
        )
        .await?;
        Ok(())
    }
}

/// Of each restaurant, the last event in a parcel.
fn coalesced(parcel: &Parcel) -> Vec<Hint> {
    let mut last: HashMap<RestaurantId, Hint> = HashMap::new();
    let commits = parcel.commits.iter().filter_map(|commit| commit.hint());
    for hint in commits.chain(parcel.hints.iter().copied()) {
        let known = last.entry(hint.restaurant_id).or_insert(hint);
        if (known.epoch, known.seq) < (hint.epoch, hint.seq) {
            *known = hint;
        }
    }
    last.into_values().collect()
}

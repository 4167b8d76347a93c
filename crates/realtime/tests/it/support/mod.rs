//! A worker whose log and bus are in the test's hands.

pub(crate) mod bus;
pub(crate) mod house;
pub(crate) mod log;

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use realtime::{Hears, Hub, HubConfig, Join, JoinError, Opening, Pull, Session, Since, Who};
use testkit::wait::{self, DEADLINE};
use tokio::time::timeout;
use uuid::Uuid;
use wire::{Epoch, Position, RestaurantId, Seq};

use bus::ManualBus;
use log::FakeLog;

pub(crate) const HERE: RestaurantId = RestaurantId(Uuid::from_u128(1));
pub(crate) const THERE: RestaurantId = RestaurantId(Uuid::from_u128(2));

pub(crate) fn epoch(n: u128) -> Epoch {
    Epoch(Uuid::from_u128(n))
}

pub(crate) fn at(e: u128, seq: Seq) -> Since {
    Since::Position(Position {
        epoch: epoch(e),
        seq,
    })
}

pub(crate) fn config() -> HubConfig {
    HubConfig::new(|| 1_000)
}

/// One worker: a hub with a bus on which only the test speaks.
pub(crate) struct Worker {
    pub(crate) hub: Hub,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) bus: Arc<ManualBus>,
}

impl Worker {
    /// With a restaurant whose log has `events` events, in epoch 1.
    pub(crate) fn with_events(events: usize) -> Self {
        Self::start(config(), events)
    }

    pub(crate) fn start(config: HubConfig, events: usize) -> Self {
        let log = Arc::new(FakeLog::default());
        log.open(HERE, epoch(1));
        _ = log.append(HERE, events);
        let bus = Arc::new(ManualBus::default());
        let hub = Hub::start(config, Arc::clone(&log) as _, Arc::clone(&bus) as _);
        Self { hub, log, bus }
    }

    pub(crate) async fn join(&self, since: Since) -> (Session, Opening) {
        join(&self.hub, since).await
    }

    /// A session that follows from now on.
    pub(crate) async fn follow(&self) -> Session {
        self.join(Since::Head).await.0
    }

    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        wait::until(what, DEADLINE, async || condition(self).then_some(())).await;
    }
}

pub(crate) fn request(since: Since) -> Join {
    Join {
        restaurant_id: HERE,
        hears: Hears::Staff,
        kinds: None,
        since,
        bulletins: true,
        who: Who::default(),
    }
}

pub(crate) async fn try_join(hub: &Hub, join: Join) -> Result<(Session, Opening), JoinError> {
    timeout(DEADLINE, hub.join(join))
        .await
        .expect("an answer in time")
}

pub(crate) async fn join(hub: &Hub, since: Since) -> (Session, Opening) {
    try_join(hub, request(since)).await.expect("a session")
}

pub(crate) async fn pull(session: &mut Session) -> Pull {
    match timeout(DEADLINE, session.next()).await {
        Ok(pull) => pull,
        Err(_) => panic!("nothing came for {session:?}"),
    }
}

/// The next frames, which must be exactly those of `seqs`, byte by byte as the log has them.
pub(crate) async fn expect(session: &mut Session, log: &FakeLog, seqs: impl Iterator<Item = Seq>) {
    let mut expected = seqs.map(|seq| log.frame(HERE, seq)).peekable();
    while expected.peek().is_some() {
        for frame in frames(pull(session).await) {
            assert_eq!(Some(frame), expected.next(), "{session:?}");
        }
    }
}

pub(crate) fn frames(pull: Pull) -> Vec<ByteString> {
    match pull {
        Pull::Frames(frames) => frames.into_vec(),
        other => panic!("not frames: {other:?}"),
    }
}

/// Nothing comes, as far as one can see in a second (of paused time, so everything has run).
pub(crate) async fn expect_silence(session: &mut Session) {
    if let Ok(pull) = timeout(Duration::from_secs(1), session.next()).await {
        panic!("{session:?} got {pull:?}");
    }
}

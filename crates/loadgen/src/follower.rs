//! A device that follows a restaurant: it comes and goes, resumes where it stood, takes a snapshot
//! when it is told to, and writes down everything that it hears.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use wire::live::events::EventKind;
use wire::live::frames::ResyncReason;
use wire::{Position, RestaurantId};

use crate::floor_state::Picture;
use crate::http::Api;
use crate::log;
use crate::socket::{Connect, PATIENCE, Said, Socket, understand};
use crate::transcript::{Heard, Transcript};

/// What all devices are told to do.
#[derive(Clone, Debug, Default)]
pub(crate) enum Phase {
    /// Come and go, each in its own manner.
    #[default]
    Storm,
    /// Stay, until all of this has been heard.
    Settle(std::collections::HashMap<RestaurantId, Position>),
    /// Go home, whatever was heard.
    Over,
}

/// How a device behaves.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    /// Only these kinds of events.
    pub(crate) filter: Option<Vec<EventKind>>,
    /// Whether it reads slowly and sleeps now and then. One that does not listens without pause as
    /// long as it is connected.
    pub(crate) is_idle: bool,
    /// How long it stays and how long it is away, at most.
    pub(crate) stays: Duration,
    pub(crate) away: Duration,
    /// A fault of the device's own, which the judge must find: it forgets one event in so many.
    pub(crate) forgets: Option<u64>,
}

/// A device.
pub(crate) struct Follower {
    api: Api,
    manners: Manners,
    random: StdRng,
    phase: watch::Receiver<Phase>,
    transcript: Transcript,
    snapshots: JoinSet<Result<Picture, String>>,
    events: u64,
}

/// One connection.
struct Stay {
    heartbeat: Duration,
    /// When something was last heard.
    heard: Instant,
    /// Since when the device has been listening.
    ready: std::time::Instant,
    leaves: Instant,
    next_ping: Instant,
}

impl Follower {
    pub(crate) fn new(
        name: String,
        api: Api,
        manners: Manners,
        seed: u64,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let transcript = Transcript::new(name, api.account.restaurant, manners.filter.clone());
        Self {
            api,
            manners,
            random: StdRng::seed_from_u64(seed),
            phase,
            transcript,
            snapshots: JoinSet::new(),
            events: 0,
        }
    }

    /// Follows until everything was heard or the time is over, and returns what was heard.
    pub(crate) async fn run(mut self) -> Transcript {
        while !self.is_done() {
            if let Ok((socket, connect)) = Socket::open(&self.api, &self.query()).await
                && let Some(reason) = self.stay(socket, connect).await
            {
                self.transcript.complain(reason);
            }
            self.be_away().await;
        }
        while let Some(taken) = self.snapshots.join_next().await {
            match taken {
                Ok(Ok(picture)) => self.transcript.pictures.push(picture),
                Ok(Err(complaint)) => self.transcript.complain(complaint),
                Err(error) => self.transcript.complain(error.to_string()),
            }
        }
        self.transcript
    }

    fn query(&self) -> String {
        let mut query = String::new();
        if let Some(Position { epoch, seq }) = self.transcript.position() {
            query = format!("&since={seq}&epoch={epoch}");
        }
        if let Some(kinds) = &self.manners.filter {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            query.push_str("&types=");
            query.push_str(&kinds.join(","));
        }
        query
    }

    /// Whether there is nothing more to wait for.
    fn is_done(&self) -> bool {
        match &*self.phase.borrow() {
            Phase::Storm => false,
            Phase::Over => true,
            Phase::Settle(goals) => {
                let goal = goals.get(&self.transcript.restaurant);
                let here = self.transcript.position();
                match (goal, here) {
                    (Some(goal), Some(here)) => goal.epoch == here.epoch && goal.seq <= here.seq,
                    _ => false,
                }
            }
        }
    }

    fn is_storm(&self) -> bool {
        matches!(&*self.phase.borrow(), Phase::Storm)
    }

    async fn be_away(&mut self) {
        let most = if self.is_storm() {
            self.manners.away
        } else {
            Duration::from_millis(300)
        };
        let away = most.mul_f64(self.random.random_range(0.05..1.0));
        tokio::select! {
            () = sleep(away) => {}
            _ = self.phase.changed() => {}
        }
    }

    /// Listens until it is time to leave. Returns what the server did wrong, if that is why it ends.
    async fn stay(&mut self, mut socket: Socket, connect: Connect) -> Option<String> {
        let now = Instant::now();
        let mut stay = Stay {
            heartbeat: Duration::from_secs(connect.heartbeat_seconds),
            heard: now,
            ready: std::time::Instant::now(),
            leaves: now
                + self
                    .manners
                    .stays
                    .mul_f64(self.random.random_range(0.02..1.0)),
            next_ping: now,
        };
        self.transcript.connections += 1;
        if let Some(complaint) = self.begin(&mut socket, &connect).await? {
            return Some(complaint);
        }
        loop {
            if self.is_done() {
                return None;
            }
            if !self.is_storm() {
                stay.leaves = now + Duration::from_secs(3600);
            }
            let silent = stay.heard + stay.heartbeat.mul_f64(2.5);
            tokio::select! {
                text = socket.next() => {
                    // However it ended: come back and resume.
                    let text = text.ok()?;
                    stay.heard = Instant::now();
                    if let Err(complaint) = self.hear(&text, stay.ready) {
                        return Some(complaint);
                    }
                    self.idle(&mut stay).await;
                }
                () = sleep_until(stay.next_ping) => {
                    socket.ping().await.ok()?;
                    let soon = if self.is_storm() { 1.0..4.0 } else { 0.1..0.3 };
                    stay.next_ping = Instant::now()
                        + Duration::from_secs_f64(self.random.random_range(soon));
                }
                () = sleep_until(stay.leaves) => {
                    if self.random.random_bool(0.5) {
                        socket.close().await;
                    }
                    return None;
                }
                () = sleep_until(silent) => return None,
                _ = self.phase.changed() => {}
            }
        }
    }

    /// Takes the first frame, and a resync if the server does not go on where the device stood.
    /// `None` when the socket ended meanwhile.
    async fn begin(&mut self, socket: &mut Socket, connect: &Connect) -> Option<Option<String>> {
        let head = Position {
            epoch: connect.epoch,
            seq: connect.seq,
        };
        let Some(here) = self.transcript.position() else {
            self.transcript.begin(head);
            return Some(None);
        };
        if connect.resumed {
            if here.epoch != connect.epoch || here.seq > connect.seq {
                return Some(Some(format!("resumed at {here} of a log at {head}")));
            }
            return Some(None);
        }
        let text = timeout(PATIENCE, socket.next()).await.ok()?.ok()?;
        match understand(&text) {
            Ok(Said::Resync { reason, position }) => {
                self.resync(reason, position);
                Some(None)
            }
            _ => Some(Some(format!(
                "not resumed from {here} and not told so, by {}",
                connect.worker_id
            ))),
        }
    }

    fn hear(&mut self, text: &str, ready: std::time::Instant) -> Result<(), String> {
        match understand(text).map_err(|error| format!("{error:#}: {text}"))? {
            Said::Event { seq, hash } => {
                self.events += 1;
                if self
                    .manners
                    .forgets
                    .is_none_or(|n| !self.events.is_multiple_of(n))
                {
                    self.transcript.hear(Heard::Event {
                        seq,
                        hash,
                        at: std::time::Instant::now(),
                        ready,
                    });
                }
            }
            Said::Position(seq) => self.transcript.hear(Heard::Position(seq)),
            Said::Resync { reason, position } => self.resync(reason, position),
            Said::Other => {}
        }
        Ok(())
    }

    /// A device that was told to resync takes a snapshot, which must not be older than that.
    fn resync(&mut self, reason: ResyncReason, position: Position) {
        self.transcript.resync(reason, position);
        let (api, mut phase) = (self.api.clone(), self.phase.clone());
        self.snapshots.spawn(async move {
            loop {
                if let Ok(snapshot) = log::snapshot(&api).await {
                    let same = snapshot.epoch == position.epoch;
                    return if snapshot.epoch < position.epoch
                        || (same && snapshot.seq < position.seq)
                    {
                        Err(format!(
                            "a snapshot of {}:{} after a resync to {position}",
                            snapshot.epoch, snapshot.seq
                        ))
                    } else {
                        Ok(Picture::from(&snapshot))
                    };
                }
                tokio::select! {
                    () = sleep(Duration::from_millis(300)) => {}
                    _ = phase.wait_for(|phase| matches!(phase, Phase::Over)) => {
                        return Err(format!("no snapshot to be had after a resync to {position}"));
                    }
                }
            }
        });
    }

    /// Reads slowly, or puts the device away for a while without closing anything.
    async fn idle(&mut self, stay: &mut Stay) {
        if !self.manners.is_idle || !self.is_storm() {
            return;
        }
        let pause = if self.random.random_bool(0.01) {
            Duration::from_secs_f64(self.random.random_range(1.0..9.0))
        } else {
            Duration::from_millis(self.random.random_range(5..60))
        };
        sleep(pause).await;
        stay.heard = Instant::now();
        stay.ready = std::time::Instant::now();
    }
}

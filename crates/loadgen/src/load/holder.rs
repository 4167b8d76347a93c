//! A process that holds sessions: it takes orders on its standard input and answers each with a
//! line on its standard output.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use rand::Rng;
use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use wire::Seq;

use super::check::Faults;
use super::clock::{self, Nanos};
use super::commands::{Command, Outcome, Setup, Status, Troubles};
use super::frame_text::Mark;
use super::session::Session;
use crate::latency::Latency;

/// A stay that does not end.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// What the sessions of one process share.
pub(crate) struct Holder {
    pub(crate) setup: Setup,
    /// Who may connect for the first time now.
    pub(crate) gate: Semaphore,
    pub(crate) buffer: RefCell<Vec<u8>>,
    pub(crate) tally: RefCell<Tally>,
    manners: watch::Sender<Manners>,
    sessions: RefCell<Vec<Rc<Session>>>,
}

/// How long a session is away at most, of the time that it stays.
const AWAY: f64 = 0.1;

/// What all sessions are told to do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    /// How often all connections were cut.
    pub(crate) cuts: u64,
    /// Whether sessions may leave, to come back soon.
    pub(crate) may_roam: bool,
}

/// What all sessions heard together.
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) event_bytes: u64,
    pub(crate) others: u64,
    pub(crate) connections: u64,
    pub(crate) resyncs: u64,
    pub(crate) last_event: Nanos,
    pub(crate) latency: Latency,
    pub(crate) latency_elsewhere: Latency,
    pub(crate) returns: Latency,
    troubles: Troubles,
    /// Which event carried a mark first: a guest's notes stay, and later events tell them again.
    marks: HashMap<Nanos, (usize, Seq)>,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            events: 0,
            event_bytes: 0,
            others: 0,
            connections: 0,
            resyncs: 0,
            last_event: 0,
            latency: Latency::new()?,
            latency_elsewhere: Latency::new()?,
            returns: Latency::new()?,
            troubles: Troubles::default(),
            marks: HashMap::new(),
        })
    }

    /// Whether it is this event that the mark was made for.
    pub(crate) fn is_first(&mut self, mark: Mark, group: usize, seq: Seq) -> bool {
        *self.marks.entry(mark.at).or_insert((group, seq)) == (group, seq)
    }
}

/// Takes orders until the last one, or until nobody gives any.
///
/// # Errors
/// When an order cannot be read, or nobody reads the answers.
pub(crate) async fn hold(
    mut orders: impl AsyncBufRead + Unpin,
    mut answers: impl AsyncWrite + Unpin,
) -> anyhow::Result<()> {
    let mut line = String::new();
    orders.read_line(&mut line).await?;
    let setup: Setup = serde_json::from_str(&line).context("the setup")?;
    let holder = Rc::new(Holder {
        gate: Semaphore::new(setup.at_once.max(1)),
        setup,
        buffer: RefCell::default(),
        tally: RefCell::new(Tally::new()?),
        manners: watch::Sender::default(),
        sessions: RefCell::default(),
    });
    // Ends with this function, however it ends.
    let mut tasks = JoinSet::new();
    loop {
        line.clear();
        if orders.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let heads = match serde_json::from_str(&line).context("an order")? {
            Command::Open { sessions } => {
                for session in holder.add(sessions) {
                    tasks.spawn_local(session.run(Rc::clone(&holder)));
                }
                Vec::new()
            }
            Command::Cut => {
                let now = clock::now();
                for session in &*holder.sessions.borrow() {
                    session.state.borrow_mut().cut(now);
                }
                holder.manners.send_modify(|manners| manners.cuts += 1);
                Vec::new()
            }
            Command::Roam { may } => {
                holder.manners.send_modify(|manners| manners.may_roam = may);
                Vec::new()
            }
            Command::Status { heads } => heads,
            Command::Finish { heads } => {
                return answer(&mut answers, &holder.outcome(&heads)?).await;
            }
        };
        answer(&mut answers, &holder.status(&heads)).await?;
    }
}

async fn answer(to: &mut (impl AsyncWrite + Unpin), what: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line).await?;
    Ok(to.flush().await?)
}

impl Holder {
    /// Those sessions that are this process's and new.
    fn add(&self, until: usize) -> Vec<Rc<Session>> {
        let Setup { part, parts, .. } = self.setup;
        let (groups, workers) = (self.setup.groups.len(), self.setup.workers.len());
        let mut sessions = self.sessions.borrow_mut();
        let next = part + sessions.len() * parts;
        let new = (next..until).step_by(parts.max(1)).map(|number| {
            let (group, turn) = (number % groups.max(1), number / groups.max(1));
            Rc::new(Session::new(number, group, turn % workers.max(1)))
        });
        let new: Vec<Rc<Session>> = new.collect();
        sessions.extend(new.iter().cloned());
        new
    }

    /// What all sessions are told to do.
    pub(crate) fn manners(&self) -> watch::Receiver<Manners> {
        self.manners.subscribe()
    }

    /// How long a session stays that may leave: exponentially distributed, so that whoever has
    /// stayed long stays no longer for that.
    pub(crate) fn stay(&self) -> Duration {
        let random: f64 = rand::rng().random_range(0.0..1.0);
        let seconds = -self.setup.stays * (1.0 - random).ln();
        Duration::try_from_secs_f64(seconds).map_or(FOR_EVER, |stay| stay.min(FOR_EVER))
    }

    /// How long it is away then.
    pub(crate) fn absence(&self) -> Duration {
        let longest = self.setup.stays * AWAY;
        let seconds = longest * rand::rng().random_range(0.0..1.0);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    pub(crate) fn refused(&self, error: &anyhow::Error) {
        let mut tally = self.tally.borrow_mut();
        *tally.troubles.refused.entry(error.to_string()).or_default() += 1;
    }

    pub(crate) fn ended(&self, error: &anyhow::Error) {
        let mut tally = self.tally.borrow_mut();
        *tally.troubles.ended.entry(error.to_string()).or_default() += 1;
    }

    fn status(&self, heads: &[Seq]) -> Status {
        let (sessions, tally) = (self.sessions.borrow(), self.tally.borrow());
        let is_behind = |session: &&Rc<Session>| {
            let head = heads.get(session.group).copied().unwrap_or(0);
            !session.has_heard(head)
        };
        let is_live = |session: &&Rc<Session>| session.state.borrow().live_since.is_some();
        Status {
            live: sessions.iter().filter(is_live).count(),
            behind: sessions.iter().filter(is_behind).count(),
            connections: tally.connections,
            events: tally.events,
            others: tally.others,
            last_event: tally.last_event,
            troubles: tally.troubles.clone(),
        }
    }

    fn outcome(&self, heads: &[Seq]) -> anyhow::Result<Outcome> {
        let tally = self.tally.borrow();
        let mut faults = Faults::default();
        for session in &*self.sessions.borrow() {
            let head = heads.get(session.group).copied().unwrap_or(0);
            faults += session.check().faults(head);
        }
        Ok(Outcome {
            faults,
            events: tally.events,
            event_bytes: tally.event_bytes,
            connections: tally.connections,
            resyncs: tally.resyncs,
            latency: tally.latency.counts(),
            latency_elsewhere: tally.latency_elsewhere.counts(),
            returns: tally.returns.counts(),
            cpu_seconds: super::processes::own_cpu()?.as_secs_f64(),
            troubles: tally.troubles.clone(),
        })
    }
}

//! One session: it connects, listens, answers pings, and comes back where it stood.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail};
use rand::Rng;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use wire::{Epoch, Seq};

use super::check::Check;
use super::clock::{self, Nanos};
use super::commands::{Group, Target};
use super::frame_text::{self, Told};
use super::frames::{self, Frame};
use super::handshake::upgrade;
use super::holder::{FOR_EVER, Holder};
use super::worker::Worker;
use crate::socket::Connect;

/// How long a connection may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much is read at once.
const READ: usize = 64 << 10;

/// A session, over all its connections.
pub(crate) struct Session {
    number: usize,
    pub(crate) group: usize,
    worker: usize,
    pub(crate) state: RefCell<State>,
}

/// Where a session stands.
#[derive(Default)]
pub(crate) struct State {
    epoch: Option<Epoch>,
    check: Check,
    /// Where the log stood when it connected.
    goal: Seq,
    /// Since when it has been connected and has heard everything up to there.
    pub(crate) live_since: Option<Nanos>,
    /// When it was cut off, until it is live again.
    cut_at: Option<Nanos>,
}

/// How a connection ended.
enum End {
    /// As was ordered.
    Cut,
    /// By the session's own choice.
    Left,
    /// As the server or the network chose.
    Ended(anyhow::Error),
}

impl Session {
    pub(crate) fn new(number: usize, group: usize, worker: usize) -> Self {
        Self {
            number,
            group,
            worker,
            state: RefCell::default(),
        }
    }

    /// Whether it is live and has heard everything up to there.
    pub(crate) fn has_heard(&self, head: Seq) -> bool {
        let state = self.state.borrow();
        state.live_since.is_some() && state.check.position() >= head
    }

    /// What it was told so far.
    pub(crate) fn check(&self) -> Check {
        self.state.borrow().check.clone()
    }

    /// Comes and goes until it is dropped.
    pub(crate) async fn run(self: Rc<Self>, holder: Rc<Holder>) {
        let mut is_first = true;
        loop {
            let pause = match self.connect(&holder, is_first).await {
                Ok((stream, rest)) => {
                    is_first = false;
                    let end = self.listen(&holder, stream, rest).await;
                    let mut state = self.state.borrow_mut();
                    state.live_since = None;
                    match end {
                        End::Cut => Duration::ZERO,
                        End::Left => holder.absence(),
                        End::Ended(error) => {
                            holder.ended(&error);
                            pause()
                        }
                    }
                }
                Err(error) => {
                    holder.refused(&error);
                    pause()
                }
            };
            if holder.setup.target == Target::Nchan && !is_first {
                // It cannot be asked for what was missed.
                return;
            }
            sleep(pause).await;
        }
    }

    async fn connect(
        &self,
        holder: &Holder,
        is_first: bool,
    ) -> anyhow::Result<(TcpStream, Vec<u8>)> {
        let _turn = if is_first {
            Some(holder.gate.acquire().await?)
        } else {
            None
        };
        let group = holder.setup.groups.get(self.group).context("a group")?;
        let worker = holder.setup.workers.get(self.worker).context("a worker")?;
        timeout(PATIENCE, self.open(holder, group, worker))
            .await
            .context("no answer to the handshake in time")?
    }

    async fn open(
        &self,
        holder: &Holder,
        group: &Group,
        worker: &Worker,
    ) -> anyhow::Result<(TcpStream, Vec<u8>)> {
        let mut stream = worker.connect(self.number).await?;
        // Whoever is cut off says no farewell, and leaves no port to wait for it.
        stream.set_zero_linger()?;
        let path = self.path(&group.path);
        let mut rest = upgrade(&mut stream, worker, &path, group.token.as_deref()).await?;
        match holder.setup.target {
            Target::Qtable => {
                let first = first_text(&stream, &mut rest).await?;
                self.begin(holder, &first)?;
            }
            Target::Nchan => self.begin_at(holder, 0),
        }
        Ok((stream, rest))
    }

    fn path(&self, path: &str) -> String {
        let state = self.state.borrow();
        match state.epoch {
            Some(epoch) => {
                let since = state.check.position();
                format!("{path}&since={since}&epoch={epoch}")
            }
            None => path.to_owned(),
        }
    }

    /// Takes the first frame.
    fn begin(&self, holder: &Holder, first: &[u8]) -> anyhow::Result<()> {
        let connect: Connect = serde_json::from_slice(first).context("the first frame")?;
        let mut state = self.state.borrow_mut();
        if state.epoch.is_none() {
            state.check = Check::new(connect.seq);
        } else if !connect.resumed {
            // A later frame says the same once more.
            state.check.reach(connect.seq);
        }
        state.epoch = Some(connect.epoch);
        drop(state);
        self.begin_at(holder, connect.seq);
        Ok(())
    }

    fn begin_at(&self, holder: &Holder, goal: Seq) {
        let mut state = self.state.borrow_mut();
        state.goal = goal;
        holder.tally.borrow_mut().connections += 1;
        state.catch_up(holder, clock::now());
    }

    async fn listen(&self, holder: &Holder, mut stream: TcpStream, rest: Vec<u8>) -> End {
        let mut manners = holder.manners();
        let begun = *manners.borrow();
        let mut pending = Vec::new();
        let mut answers = Vec::new();
        if let Err(error) = self.take_rest(holder, &rest, &mut pending, &mut answers) {
            return End::Ended(error);
        }
        loop {
            let now = *manners.borrow_and_update();
            if now.cuts != begun.cuts {
                return End::Cut;
            }
            let stay = if now.may_roam {
                holder.stay()
            } else {
                FOR_EVER
            };
            let mut leaves = pin!(sleep(stay));
            let mut changed = pin!(manners.changed());
            // Both wait as long as nothing changes, and are not set up anew for each event.
            loop {
                if let Err(error) = send(&mut stream, &mut answers).await {
                    return End::Ended(error.into());
                }
                tokio::select! {
                    biased;
                    ready = stream.readable() => {
                        let read = match ready {
                            Ok(()) => self.read(holder, &stream, &mut pending, &mut answers),
                            Err(error) => Err(error.into()),
                        };
                        if let Err(error) = read {
                            return End::Ended(error);
                        }
                    }
                    _ = &mut changed => break,
                    () = &mut leaves => return End::Left,
                }
            }
        }
    }

    /// Reads what is there, through one buffer that all sessions share.
    fn read(
        &self,
        holder: &Holder,
        stream: &TcpStream,
        pending: &mut Vec<u8>,
        answers: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
        let mut shared = holder.buffer.borrow_mut();
        loop {
            let kept = pending.len();
            if shared.len() < kept + READ {
                shared.resize(kept + READ, 0);
            }
            let (begin, free) = shared.split_at_mut(kept);
            let room = free.len();
            let count = match stream.try_read(free) {
                Ok(0) => bail!("the connection ended"),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            begin.copy_from_slice(pending);
            let bytes = shared.get(..kept + count).unwrap_or_default();
            let used = self.take(holder, bytes, answers)?;
            *pending = bytes.get(used..).unwrap_or_default().to_vec();
            if count < room {
                return Ok(());
            }
        }
    }

    /// Takes what came with the handshake.
    fn take_rest(
        &self,
        holder: &Holder,
        rest: &[u8],
        pending: &mut Vec<u8>,
        answers: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
        let used = self.take(holder, rest, answers)?;
        *pending = rest.get(used..).unwrap_or_default().to_vec();
        Ok(())
    }

    /// Takes the whole frames at the beginning and returns their length.
    fn take(&self, holder: &Holder, bytes: &[u8], answers: &mut Vec<u8>) -> anyhow::Result<usize> {
        let now = clock::now();
        let mut used = 0;
        while let Some((frame, length)) = frames::first(bytes.get(used..).unwrap_or_default())? {
            used += length;
            match frame {
                Frame::Text(text) => self.hear(holder, text, now),
                Frame::Ping(payload) => answers.extend(frames::pong(payload)),
                Frame::Close { code, reason } => {
                    bail!("closed: {code} {}", String::from_utf8_lossy(reason))
                }
                Frame::Other => {}
            }
        }
        Ok(used)
    }

    fn hear(&self, holder: &Holder, text: &[u8], now: Nanos) {
        let mut state = self.state.borrow_mut();
        let mut tally = holder.tally.borrow_mut();
        match frame_text::read(text) {
            Told::Event { seq, mark } => {
                state.check.hear(seq);
                tally.events += 1;
                tally.event_bytes += u64::try_from(text.len()).unwrap_or(0);
                tally.last_event = now;
                if let (Some(mark), Some(since)) = (mark, state.live_since)
                    && mark.at >= since
                    && tally.is_first(mark, self.group, seq)
                {
                    let delay = clock::between(mark.at, now);
                    tally.latency.record(delay);
                    if mark.worker != self.worker {
                        tally.latency_elsewhere.record(delay);
                    }
                }
            }
            Told::Position(seq) => state.check.reach(seq),
            Told::Resync => tally.resyncs += 1,
            Told::Other => tally.others += 1,
        }
        drop(tally);
        state.catch_up(holder, now);
    }
}

impl State {
    /// Cut off now: it is not live before it has connected again.
    pub(crate) fn cut(&mut self, now: Nanos) {
        self.cut_at = Some(now);
        self.live_since = None;
        self.goal = Seq::MAX;
    }

    /// Notes when everything was heard up to where the log stood.
    fn catch_up(&mut self, holder: &Holder, now: Nanos) {
        if self.live_since.is_none() && self.check.position() >= self.goal {
            self.live_since = Some(now);
            if let Some(cut_at) = self.cut_at.take() {
                let mut tally = holder.tally.borrow_mut();
                tally.returns.record(clock::between(cut_at, now));
            }
        }
    }
}

/// Before somebody tries again who wanted to be there, so that not all do at once.
fn pause() -> Duration {
    Duration::from_millis(rand::rng().random_range(50..=500))
}

/// Sends what is to be said, and keeps no room for what is seldom needed.
async fn send(stream: &mut TcpStream, answers: &mut Vec<u8>) -> std::io::Result<()> {
    if answers.is_empty() {
        return Ok(());
    }
    stream.write_all(&std::mem::take(answers)).await
}

/// The first frame with a text in it; pings before it would be strange, and are left out.
async fn first_text(stream: &TcpStream, rest: &mut Vec<u8>) -> anyhow::Result<Vec<u8>> {
    loop {
        while let Some((frame, length)) = frames::first(rest)? {
            let text = match frame {
                Frame::Text(text) => Some(text.to_vec()),
                Frame::Close { code, .. } => bail!("closed: {code}, before the first frame"),
                _ => None,
            };
            rest.drain(..length);
            if let Some(text) = text {
                return Ok(text);
            }
        }
        stream.readable().await?;
        match stream.try_read_buf(rest) {
            Ok(0) => bail!("the connection ended before the first frame"),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

//! All sessions together, in as many processes as it takes.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::process::{self, Child};
use tokio::time::{Instant, sleep};
use wire::Seq;

use super::check::Faults;
use super::clock::Nanos;
use super::commands::{Command, Outcome, Setup, Status, Troubles};
use super::processes;
use crate::latency::Latency;
use crate::progress;

/// The subcommand of a process that holds sessions.
pub(crate) const HOLD: &str = "hold";

/// How often the processes are asked how it is going.
const ASKED: Duration = Duration::from_millis(50);

/// For how long nothing may move before it is given up.
const STANDSTILL: Duration = Duration::from_secs(30);

/// How long it must have been quiet.
const QUIET: Duration = Duration::from_millis(2500);

/// All sessions.
pub(crate) struct Crowd {
    parts: Vec<Part>,
    groups: usize,
}

/// One process.
struct Part {
    to: Box<dyn AsyncWrite + Unpin>,
    from: BufReader<Box<dyn AsyncRead + Unpin>>,
    /// Killed when it is forgotten.
    _child: Option<Child>,
}

/// What came of all sessions together.
pub(crate) struct Heard {
    pub(crate) faults: Faults,
    pub(crate) events: u64,
    pub(crate) event_bytes: u64,
    pub(crate) connections: u64,
    pub(crate) resyncs: u64,
    pub(crate) latency: Latency,
    pub(crate) latency_elsewhere: Latency,
    pub(crate) returns: Latency,
    pub(crate) cpu_seconds: f64,
    pub(crate) troubles: Troubles,
}

impl Crowd {
    /// Starts the processes, as many as are wanted or needed. No session is open yet.
    ///
    /// # Errors
    /// When a process cannot be started.
    pub(crate) async fn start(
        setup: Setup,
        sessions: usize,
        processes: Option<usize>,
    ) -> anyhow::Result<Self> {
        let needed = sessions.div_ceil(processes::connections_allowed());
        let parts = processes.unwrap_or(needed).max(1);
        anyhow::ensure!(
            parts >= needed,
            "{sessions} sessions need at least --processes {needed}: each may open so many files"
        );
        let program = std::env::current_exe().context("this very program")?;
        let parts = (0..parts).map(|part| {
            let mut child = process::Command::new(&program)
                .arg(HOLD)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .context("starting a process for sessions")?;
            let setup = Setup {
                part,
                parts,
                ..setup.clone()
            };
            Ok((
                setup,
                Part {
                    to: Box::new(child.stdin.take().context("its input")?),
                    from: BufReader::new(Box::new(child.stdout.take().context("its output")?)),
                    _child: Some(child),
                },
            ))
        });
        Self::of(parts.collect::<anyhow::Result<_>>()?).await
    }

    /// The same, and opens all sessions.
    ///
    /// # Errors
    /// As above, and those of [`Crowd::open`].
    pub(crate) async fn gather(
        setup: Setup,
        sessions: usize,
        processes: Option<usize>,
    ) -> anyhow::Result<Self> {
        let mut crowd = Self::start(setup, sessions, processes).await?;
        let bar = progress::count("sessions");
        crowd.open(sessions, &bar).await?;
        bar.finish_and_clear();
        Ok(crowd)
    }

    /// The same within this process; what holds the sessions must run on it.
    #[cfg(test)]
    pub(crate) async fn within(setup: Setup) -> anyhow::Result<Self> {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (from, to) = tokio::io::split(theirs);
        tokio::task::spawn_local(super::holder::hold(BufReader::new(from), to));
        let (from, to) = tokio::io::split(ours);
        let part = Part {
            to: Box::new(to),
            from: BufReader::new(Box::new(from)),
            _child: None,
        };
        Self::of(vec![(setup, part)]).await
    }

    async fn of(parts: Vec<(Setup, Part)>) -> anyhow::Result<Self> {
        let groups = parts.first().map_or(0, |(setup, _)| setup.groups.len());
        let parts = parts.into_iter().map(async |(setup, mut part)| {
            part.say(serde_json::to_vec(&setup)?).await?;
            anyhow::Ok(part)
        });
        Ok(Self {
            parts: try_join_all(parts).await?,
            groups,
        })
    }

    async fn order<T: DeserializeOwned>(&mut self, order: Command) -> anyhow::Result<Vec<T>> {
        let line = serde_json::to_vec(&order)?;
        let answers = self.parts.iter_mut().map(async |part| {
            part.say(line.clone()).await?;
            part.hear().await
        });
        try_join_all(answers).await
    }

    async fn ask(&mut self, order: Command) -> anyhow::Result<Status> {
        let mut all = Status::default();
        for part in self.order::<Status>(order).await? {
            all.live += part.live;
            all.behind += part.behind;
            all.connections += part.connections;
            all.events += part.events;
            all.others += part.others;
            all.last_event = all.last_event.max(part.last_event);
            all.troubles.add(&part.troubles);
        }
        Ok(all)
    }

    /// Opens so many sessions in all, and returns once all are live.
    ///
    /// # Errors
    /// When they do not become so, with the server's reasons.
    pub(crate) async fn open(&mut self, sessions: usize, bar: &ProgressBar) -> anyhow::Result<()> {
        self.ask(Command::Open { sessions }).await?;
        let heads = vec![0; self.groups];
        bar.set_length(sessions.try_into()?);
        self.wait(&heads, |status| {
            bar.set_position(status.live.try_into().unwrap_or(0));
        })
        .await
        .context("not all sessions could be opened")?;
        Ok(())
    }

    /// Returns once it is quiet: nothing but heartbeats, because all know who else is here.
    ///
    /// # Errors
    /// When it never is.
    pub(crate) async fn calm(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let (mut last, mut since) = (u64::MAX, began);
        while since.elapsed() < QUIET {
            anyhow::ensure!(began.elapsed() < 4 * STANDSTILL, "it does not become quiet");
            let status = self.status().await?;
            let heard = status.events + status.others;
            if heard != last {
                (last, since) = (heard, Instant::now());
            }
            sleep(ASKED).await;
        }
        Ok(())
    }

    /// How it is going.
    pub(crate) async fn status(&mut self) -> anyhow::Result<Status> {
        let heads = vec![0; self.groups];
        self.ask(Command::Status { heads }).await
    }

    /// Returns once all have heard everything up to here, and when the last event was heard; or
    /// once nothing moves any more, which the faults will tell.
    pub(crate) async fn settle(&mut self, heads: &[Seq]) -> anyhow::Result<Nanos> {
        if let Err(error) = self.wait(heads, |_| {}).await {
            eprintln!("{error:#}");
        }
        Ok(self.status().await?.last_event)
    }

    async fn wait(&mut self, heads: &[Seq], mut tell: impl FnMut(&Status)) -> anyhow::Result<()> {
        let heads = heads.to_vec();
        let (mut last, mut moved) = ((0, 0), Instant::now());
        loop {
            let status = self
                .ask(Command::Status {
                    heads: heads.clone(),
                })
                .await?;
            tell(&status);
            if status.behind == 0 {
                return Ok(());
            }
            let now = (status.behind, status.events);
            if now != last {
                (last, moved) = (now, Instant::now());
            }
            anyhow::ensure!(
                moved.elapsed() < STANDSTILL,
                "{} sessions are behind ({})",
                status.behind,
                status.troubles.words()
            );
            sleep(ASKED).await;
        }
    }

    /// Cuts all connections, has all come back at once, and returns once all are live again.
    ///
    /// # Errors
    /// When they do not become so.
    pub(crate) async fn cut(&mut self) -> anyhow::Result<()> {
        self.ask(Command::Cut).await?;
        let heads = vec![0; self.groups];
        self.wait(&heads, |_| {}).await.context("not all came back")
    }

    /// Lets sessions leave and come back as they like, or has all stay.
    pub(crate) async fn roam(&mut self, may: bool) -> anyhow::Result<()> {
        self.ask(Command::Roam { may }).await?;
        Ok(())
    }

    /// What came of it, where the logs stand here.
    pub(crate) async fn finish(mut self, heads: &[Seq]) -> anyhow::Result<Heard> {
        let heads = heads.to_vec();
        let mut all = Heard {
            faults: Faults::default(),
            events: 0,
            event_bytes: 0,
            connections: 0,
            resyncs: 0,
            latency: Latency::new()?,
            latency_elsewhere: Latency::new()?,
            returns: Latency::new()?,
            cpu_seconds: 0.0,
            troubles: Troubles::default(),
        };
        for part in self.order::<Outcome>(Command::Finish { heads }).await? {
            all.faults += part.faults;
            all.events += part.events;
            all.event_bytes += part.event_bytes;
            all.connections += part.connections;
            all.resyncs += part.resyncs;
            all.latency.add_counts(&part.latency);
            all.latency_elsewhere.add_counts(&part.latency_elsewhere);
            all.returns.add_counts(&part.returns);
            all.cpu_seconds += part.cpu_seconds;
            all.troubles.add(&part.troubles);
        }
        Ok(all)
    }
}

impl Part {
    async fn say(&mut self, mut line: Vec<u8>) -> anyhow::Result<()> {
        line.push(b'\n');
        self.to.write_all(&line).await?;
        Ok(self.to.flush().await?)
    }

    async fn hear<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        let read = self.from.read_line(&mut line).await?;
        anyhow::ensure!(read > 0, "a process that holds sessions has ended");
        serde_json::from_str(&line).context("the answer of a process that holds sessions")
    }
}

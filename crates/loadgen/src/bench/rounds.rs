//! The measurements, each of QTable and its peers in turn.

use anyhow::Context;

use super::database::Database;
use super::nchan::Nchan;
use super::pgbench::Pgbench;
use super::results::{Results, What, Who};
use super::scenario::{self, Figures};
use super::workers::Setup;
use super::{float, per, progress};

/// Workers of QTable.
const WORKERS: usize = 2;

/// Parties that are changed and listed.
const GUESTS: u32 = 50;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Of each run of reads, writes and pgbench.
    pub(super) seconds: u64,
    /// Connections to QTable over which reads and writes come.
    pub(super) connections: u32,
    /// Sessions, and events in bursts for them.
    pub(super) burst: (u32, u32),
    /// Sessions, events per second, seconds.
    pub(super) steady: (u32, u32, u64),
    /// Sessions that are open and silent.
    pub(super) idle: u32,
    /// Events per second, and for how many seconds, from worker to worker.
    pub(super) bus: (u32, u32),
}

/// Everything that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Test {
    /// Updates of a guest, beside pgbench.
    Write,
    /// Lists of 50 guests, beside pgbench.
    Read,
    /// Events for many sessions, beside Nchan.
    Fanout,
    /// Memory of many sessions, beside Nchan.
    Idle,
    /// From worker to worker, beside Redis.
    Bus,
}

/// What is measured on.
pub(super) struct Field {
    pub(super) setup: Setup,
    pub(super) database: Database,
    pub(super) sizes: Sizes,
    pub(super) nchan: Option<Nchan>,
    pub(super) writes: Option<Pgbench>,
    pub(super) reads: Option<Pgbench>,
    /// Of an event of QTable's; its peers get as many.
    pub(super) frame_bytes: u64,
    pub(super) results: Results,
}

impl Field {
    /// One round of a test.
    ///
    /// # Errors
    /// When something cannot be measured.
    pub(super) async fn round(&mut self, test: Test) -> anyhow::Result<()> {
        match test {
            Test::Write => self.requests(What::Writes).await,
            Test::Read => self.requests(What::Reads).await,
            Test::Fanout => {
                self.fanout(What::Burst).await?;
                self.fanout(What::Steady).await
            }
            Test::Idle => self.idle().await,
            Test::Bus => self.bus().await,
        }
    }

    fn add(&mut self, what: What, who: Who, figure: f64) {
        progress(&format!(
            "  {}: {} {}",
            what.words(),
            who.words(),
            what.figure(figure)
        ));
        self.results.add(what, who, figure);
    }

    /// Runs a scenario on fresh workers.
    async fn with_workers(&self, words: &[&str]) -> anyhow::Result<Figures> {
        self.setup.measure(WORKERS, words).await
    }

    /// Has a scenario's statements written into the log, and makes scripts for pgbench of them.
    ///
    /// # Errors
    /// When they are not understood.
    pub(super) async fn record(&self, what: What) -> anyhow::Result<Pgbench> {
        let (scenario, events) = match what {
            What::Writes => ("write", 1),
            _ => ("read", 0),
        };
        self.database.log_statements(true).await?;
        let from = self.database.log_end()?;
        // One connection: the requests come one after the other.
        let guests = GUESTS.to_string();
        let words = [
            scenario,
            "--connections",
            "1",
            "--seconds",
            "4",
            "--warm-up",
            "0.5",
            "--guests",
            &guests,
        ];
        let figures = self.setup.measure(1, &words).await?;
        let pgbench = Pgbench::prepare(
            &self.database,
            &self.setup.logs.join(scenario),
            &self.database.log_since(from)?,
            usize::try_from(figures.latency()?.count)?,
            usize::try_from(GUESTS)?,
            events,
        )
        .await
        .with_context(|| format!("the statements of {scenario}"))?;
        self.database.log_statements(false).await?;
        progress(&format!("  {scenario}: {}", pgbench.recorded));
        Ok(pgbench)
    }

    async fn requests(&mut self, what: What) -> anyhow::Result<()> {
        let seconds = self.sizes.seconds.to_string();
        let connections = self.sizes.connections.to_string();
        let guests = GUESTS.to_string();
        let scenario = if what == What::Writes {
            "write"
        } else {
            "read"
        };
        let words = [
            scenario,
            "--connections",
            &connections,
            "--seconds",
            &seconds,
            "--guests",
            &guests,
        ];
        self.database.vacuum().await?;
        let before = self.database.marks().await?;
        let figures = self.with_workers(&words).await?;
        let after = self.database.marks().await?;
        self.add(what, Who::Qtable, figures.per_second()?);
        let rows = if what == What::Writes {
            per(after.rows - before.rows, after.events - before.events)
        } else {
            0.0
        };
        let pgbench = match what {
            What::Writes => &mut self.writes,
            _ => &mut self.reads,
        };
        let Some(pgbench) = pgbench else {
            return Ok(());
        };
        let run = pgbench.measure(self.sizes.seconds, rows).await?;
        self.add(what, Who::Pgbench, run.per_second);
        Ok(())
    }

    /// Nchan, with Redis or without, while a scenario runs against it.
    async fn with_nchan(&self, who: Who, words: &[&str]) -> anyhow::Result<Option<Figures>> {
        let Some(nchan) = &self.nchan else {
            return Ok(None);
        };
        let running = nchan.start(who == Who::NchanRedis).await?;
        let (subscribe, publish) = (running.subscribe(), running.publish());
        let (bytes, pids) = (self.frame_bytes.to_string(), running.pids());
        let mut all = words.to_vec();
        all.extend(["--target", "nchan", "--payload-bytes", &bytes]);
        all.extend(["--subscribe", &subscribe, "--publish", &publish]);
        all.extend(["--pids", &pids]);
        let figures = scenario::run(&all).await?;
        running.stop().await?;
        Ok(Some(figures))
    }

    async fn fanout(&mut self, what: What) -> anyhow::Result<()> {
        let (sessions, pace) = if what == What::Burst {
            let (sessions, events) = self.sizes.burst;
            (sessions, format!("--burst --events {events}"))
        } else {
            let (sessions, rate, seconds) = self.sizes.steady;
            (sessions, format!("--rate {rate} --seconds {seconds}"))
        };
        let sessions = sessions.to_string();
        let mut words = vec!["fanout", "--sessions", sessions.as_str()];
        words.extend(pace.split(' '));
        for who in [Who::Qtable, Who::Nchan, Who::NchanRedis] {
            let figures = if who == Who::Qtable {
                Some(self.with_workers(&words).await?)
            } else {
                self.with_nchan(who, &words).await?
            };
            let Some(figures) = figures else {
                continue;
            };
            self.add(what, who, figures.deliveries_per_cpu_second()?);
            if what == What::Steady {
                self.add(What::SteadyP99, who, figures.latency_everywhere()?.p99_ms);
            }
        }
        Ok(())
    }

    async fn idle(&mut self) -> anyhow::Result<()> {
        let sessions = self.sizes.idle.to_string();
        let words = ["idle", "--sessions", &sessions];
        let ours = self.with_workers(&words).await?;
        self.add(What::Idle, Who::Qtable, ours.bytes_per_session()?);
        if let Some(theirs) = self.with_nchan(Who::Nchan, &words).await? {
            self.add(What::Idle, Who::Nchan, theirs.bytes_per_session()?);
        }
        Ok(())
    }

    async fn bus(&mut self) -> anyhow::Result<()> {
        let (rate, seconds) = self.sizes.bus;
        let (rate_word, seconds_word) = (rate.to_string(), seconds.to_string());
        let words = [
            "fanout",
            "--sessions",
            "2",
            "--rate",
            &rate_word,
            "--seconds",
            &seconds_word,
        ];
        let figures = self.with_workers(&words).await?;
        let (frames, requests) = (figures.latency()?, figures.requests()?);
        // The difference of two medians is near the median of the differences; of the slowest
        // nothing of the kind can be said.
        let ours = [frames.p50_ms - requests.p50_ms, frames.p99_ms];
        let (url, bytes) = (self.setup.redis_url.clone(), self.frame_bytes);
        let trips = tokio::task::spawn_blocking(move || {
            let bytes = usize::try_from(bytes)?;
            super::redis::round_trips(&url, bytes, rate * seconds, rate)
        });
        let redis = trips.await??;
        let theirs = [redis.p50_ms, redis.p99_ms];
        for (index, what) in [What::BusP50, What::BusP99].into_iter().enumerate() {
            for (who, figures) in [(Who::Qtable, ours), (Who::Redis, theirs)] {
                let figure = figures.get(index).copied().unwrap_or_default();
                self.add(what, who, figure);
            }
        }
        Ok(())
    }

    /// Learns how long an event is, and whether everything runs at all.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn learn_frame(&mut self) -> anyhow::Result<()> {
        let words = [
            "fanout",
            "--sessions",
            "2",
            "--rate",
            "20",
            "--seconds",
            "1",
        ];
        let figures = self.with_workers(&words).await?;
        let bytes = figures.frame_bytes()?;
        let whole = (1..u64::from(u16::MAX)).find(|count| float(*count) >= bytes);
        self.frame_bytes = whole.context("frames without a length")?;
        Ok(())
    }
}

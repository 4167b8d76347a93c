//! The same statements by pgbench: what the database could do if nothing stood before it.

use std::path::Path;

use anyhow::{Context, ensure};

use super::database::Database;
use super::requests::{self, Recording};
use super::scripts::Scripts;
use super::statements::Log;

/// How many rows pgbench may write less than the server did; what the server does by the clock
/// and before the first request is among the server's.
const MISSING_ROWS: f64 = 0.1;

/// Seconds that are not counted. Each connection has to prepare each script, and the database
/// plans the first executions of each one by one.
const WARM_UP: u64 = 4;

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    /// Each of them one request's statements.
    pub(super) transactions: u64,
    /// From the moment on at which it is warm.
    pub(super) per_second: f64,
}

/// Scripts that do what a request does.
#[derive(Debug)]
pub(super) struct Pgbench {
    database: Database,
    scripts: Scripts,
    /// The number of connections with which it is fastest, once that is known.
    best: Option<usize>,
    /// Events that one request appends.
    events: u64,
    /// What was recorded, in words.
    pub(super) recorded: String,
}

impl Pgbench {
    /// Makes scripts of what is in a log of `count` requests, and has them rehearsed: the server's
    /// log must say of them what it said of the requests.
    ///
    /// # Errors
    /// When the requests' statements cannot be found, or pgbench does something else.
    pub(super) async fn prepare(
        database: &Database,
        directory: &Path,
        text: &str,
        count: usize,
        guests: usize,
        events: u64,
    ) -> anyhow::Result<Self> {
        let log = Log::read(text)?;
        let recording = requests::find(&log, count, guests)?;
        let oids = log.types.values().flat_map(|types| types.values().copied());
        let type_names = database.type_names(oids).await?;
        let scripts = Scripts::write(directory, &recording.requests, &log, &type_names)?;
        let pgbench = Self {
            database: database.clone(),
            scripts,
            best: None,
            events,
            recorded: in_words(&recording),
        };
        pgbench.rehearse().await?;
        Ok(pgbench)
    }

    async fn rehearse(&self) -> anyhow::Result<()> {
        let from = self.database.log_end()?;
        let before = self.database.marks().await?;
        let run = self.run(1, &["-t", "20"]).await?;
        let after = self.database.marks().await?;
        ensure!(
            after.events - before.events == run.transactions * self.events,
            "{} events of {} requests",
            after.events - before.events,
            run.transactions
        );
        let log = Log::read(&self.database.log_since(from)?)?;
        let statements = log.transactions.concat();
        let each = self.scripts.expected.first().map_or(0, Vec::len);
        // Our own questions are not prepared.
        let executed: Vec<Vec<String>> = statements
            .iter()
            .filter(|statement| statement.is_prepared)
            .map(|statement| statement.parameters.iter().flatten().cloned().collect())
            .collect();
        let whole = usize::try_from(run.transactions)? * each;
        ensure!(
            executed.len() == whole,
            "{} statements were executed as prepared, not {whole}",
            executed.len()
        );
        for request in executed.chunks(each.max(1)) {
            ensure!(
                self.scripts.expected.iter().any(|one| one == request),
                "pgbench asked for something else: {request:?}"
            );
        }
        Ok(())
    }

    async fn run(&self, clients: usize, length: &[&str]) -> anyhow::Result<Run> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut command = self.database.command("pgbench");
        command
            .args(["-n", "-M", "prepared"])
            .args(["-c", &clients.to_string()])
            .args(["-j", &threads.min(clients).to_string()])
            .args(length);
        for (name, value) in &self.scripts.variables {
            command.arg("-D").arg(format!("{name}={value}"));
        }
        for file in &self.scripts.files {
            command.arg("-f").arg(format!("{}@1", file.display()));
        }
        let output = command.output().await.context("running pgbench")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench: {}", errors.trim());
        read(&String::from_utf8_lossy(&output.stdout), &errors)
    }

    /// Lets it run for some seconds, and checks that the work was done.
    ///
    /// The first time it is tried with several numbers of connections, and then with the one that
    /// was best.
    ///
    /// # Errors
    /// When it did not do what the server does.
    pub(super) async fn measure(
        &mut self,
        seconds: u64,
        rows_per_request: f64,
    ) -> anyhow::Result<Run> {
        if let Some(best) = self.best {
            return self.checked(best, seconds, rows_per_request).await;
        }
        let mut fastest: Option<(usize, Run)> = None;
        for clients in [8, 16, 32] {
            let run = self.checked(clients, seconds, rows_per_request).await?;
            if fastest.is_none_or(|(_, other)| run.per_second > other.per_second) {
                fastest = Some((clients, run));
            }
        }
        let (clients, run) = fastest.context("pgbench was not run")?;
        self.best = Some(clients);
        Ok(run)
    }

    /// The number of connections with which it is fastest.
    pub(super) const fn clients(&self) -> Option<usize> {
        self.best
    }

    async fn checked(
        &self,
        clients: usize,
        seconds: u64,
        rows_per_request: f64,
    ) -> anyhow::Result<Run> {
        self.database.vacuum().await?;
        let before = self.database.marks().await?;
        let length = (seconds + WARM_UP).to_string();
        let run = self.run(clients, &["-P", "1", "-T", &length]).await?;
        let after = self.database.marks().await?;
        let events = after.events - before.events;
        // At the end, pgbench does not count what it has just finished.
        let most = (run.transactions + u64::try_from(clients)?) * self.events;
        ensure!(
            (run.transactions * self.events..=most).contains(&events),
            "pgbench did {} times what a request does, but there are {events} events",
            run.transactions
        );
        let rows = super::per(after.rows - before.rows, run.transactions);
        ensure!(
            rows >= rows_per_request * (1.0 - MISSING_ROWS),
            "pgbench writes {rows:.2} rows for each request, the server {rows_per_request:.2}"
        );
        Ok(run)
    }
}

fn in_words(recording: &Recording) -> String {
    let first = recording.requests.first();
    let statements: usize = first.map_or(0, |request| request.iter().map(Vec::len).sum());
    let left_out: usize = recording.left_out.iter().map(|(_, times)| times).sum();
    format!(
        "{statements} statements in {} transaction(s), {} different requests; left out: {left_out} \
         of {} kinds that were not part of every request",
        first.map_or(0, Vec::len),
        recording.requests.len(),
        recording.left_out.len()
    )
}

/// Reads what pgbench says at its end, and what it said every second.
fn read(text: &str, progress: &str) -> anyhow::Result<Run> {
    let after = |words: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(words));
        let word = line.and_then(|line| line.split([' ', '/']).find(|word| !word.is_empty()));
        word.with_context(|| format!("pgbench does not say: {words}"))
    };
    let failed: u64 = after("number of failed transactions:").map_or(Ok(0), str::parse)?;
    ensure!(failed == 0, "{failed} transactions of pgbench failed");
    let warm = warm(progress)?;
    Ok(Run {
        transactions: after("number of transactions actually processed:")?.parse()?,
        per_second: match warm {
            Some(warm) => warm,
            None => after("tps =")?.parse()?,
        },
    })
}

/// The mean of the seconds after the warm-up: `progress: 5.0 s, 8123.4 tps, lat …`
fn warm(progress: &str) -> anyhow::Result<Option<f64>> {
    let (mut sum, mut count) = (0.0, 0);
    for line in progress.lines() {
        let Some((at, rest)) = line
            .strip_prefix("progress: ")
            .and_then(|line| line.split_once(" s, "))
        else {
            continue;
        };
        let (rate, _) = rest.split_once(" tps").context("a rate")?;
        if at.parse::<f64>()? > super::float(WARM_UP) + 0.5 {
            sum += rate.parse::<f64>()?;
            count += 1;
        }
    }
    Ok((count > 0).then(|| sum / f64::from(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "pgbench (15.18)\ntransaction type: multiple scripts\nscaling factor: 1\n\
        query mode: prepared\nnumber of clients: 8\nnumber of threads: 2\n\
        number of transactions actually processed: 81234\nnumber of failed transactions: 0 (0.000%)\n\
        latency average = 0.985 ms\ninitial connection time = 12.345 ms\n\
        tps = 8123.456789 (without initial connection time)\n\
        SQL script 1: /tmp/0.sql\n - weight: 1 (targets 50.0% of total)\n - 1 transactions (1.0% of total, tps = 1.0)\n";

    #[test]
    fn pgbench_is_understood() {
        let run = read(SAID, "").unwrap();
        assert_eq!(run.transactions, 81234);
        assert!((run.per_second - 8_123.456_789).abs() < 1e-9);
        let of_a_count = SAID.replace("81234", "20/20");
        assert_eq!(read(&of_a_count, "").unwrap().transactions, 20);
    }

    #[test]
    fn only_warm_seconds_count() {
        let progress = "pgbench (15.18)\nprogress: 1.0 s, 10.0 tps, lat 9.0 ms stddev 1.0, 0 failed\n\
            progress: 4.0 s, 50.0 tps, lat 1.0 ms\nprogress: 5.0 s, 99.0 tps, lat 1.0 ms\n\
            progress: 6.0 s, 101.0 tps, lat 1.0 ms stddev 0.1, 0 failed\n";
        let run = read(SAID, progress).unwrap();
        assert!((run.per_second - 100.0).abs() < 1e-9, "{run:?}");
    }

    #[test]
    fn failures_are_no_result() {
        read(&SAID.replace("transactions: 0 (", "transactions: 3 ("), "").unwrap_err();
        read("pgbench: error", "").unwrap_err();
        read(SAID, "progress: soon s, 1.0 tps").unwrap_err();
    }
}

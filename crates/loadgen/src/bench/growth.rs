//! What things cost as there are more of them: sessions, restaurants, events, guests.
//!
//! The data is made by SQL, the load by the scenarios. One axis grows while all else stays, and
//! each point is measured with fresh workers. Of a request the CPU time is told, of the worker and
//! of PostgreSQL, which is steadier than latency.

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;

use super::database::Database;
use super::scenario::Figures;
use super::workers::Setup;
use super::{float, progress};
use crate::table::Table;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Axis {
    /// Sessions of one worker, all in one room.
    Sessions,
    /// Restaurants, each with a floor of its own.
    Restaurants,
    /// Parties of one restaurant, most of which have left.
    Guests,
    /// Events in the log of one restaurant.
    Events,
}

const ALL: [Axis; 4] = [
    Axis::Sessions,
    Axis::Restaurants,
    Axis::Guests,
    Axis::Events,
];

/// Sessions of a worker at rest: fewer cannot be told from what happens once.
const AT_REST: u64 = 200;

/// The demo restaurant, which is measured; those that are only there are called otherwise.
const HERE: &str = "(SELECT id FROM restaurants WHERE slug NOT LIKE 'far-%' \
    ORDER BY created_at, id LIMIT 1)";

/// A measured request.
struct Asked {
    worker_micros: f64,
    postgres_micros: f64,
    p50_ms: f64,
}

/// Everything that is needed to measure a point.
struct Growth<'a> {
    setup: &'a Setup,
    database: &'a Database,
    seconds: u32,
    postgres: String,
}

impl Axis {
    const fn points(self, short: bool) -> &'static [u64] {
        match (self, short) {
            (Self::Sessions, false) => &[200, 1_000, 5_000, 18_000],
            (Self::Restaurants, false) => &[1, 100, 5_000],
            (Self::Guests, false) => &[50, 500, 5_000, 50_000],
            (Self::Events, false) => &[10_000, 100_000, 1_000_000, 10_000_000],
            (Self::Sessions, true) => &[200, 400],
            (Self::Restaurants, true) => &[1, 10],
            (Self::Guests, true) => &[50, 500],
            (Self::Events, true) => &[1_000, 10_000],
        }
    }

    const fn heading(self) -> &'static [&'static str] {
        match self {
            Self::Sessions => &["sessions of a worker", "bytes each", "CPU µs per delivery"],
            Self::Restaurants => &[
                "restaurants",
                "change of a party, worker µs",
                "PostgreSQL µs",
                "p50 ms",
                "list of 50, worker µs",
                "PostgreSQL µs",
                "worker at rest with 200 sessions, CPU µs per second",
            ],
            Self::Guests => &[
                "parties of a restaurant",
                "change of one, worker µs",
                "PostgreSQL µs",
                "list of 50, worker µs",
                "PostgreSQL µs",
                "search, worker µs",
                "PostgreSQL µs",
            ],
            Self::Events => &[
                "events in a log",
                "change of a party, worker µs",
                "PostgreSQL µs",
                "the last 100 again, worker µs",
                "PostgreSQL µs",
                "p50 ms",
            ],
        }
    }
}

/// Measures the axes, prints their tables, and writes them under `root`.
///
/// # Errors
/// When something could not be measured, or was lost.
pub(super) async fn run(
    setup: &Setup,
    database: &Database,
    axes: &[Axis],
    short: bool,
    root: Option<&Path>,
) -> anyhow::Result<()> {
    let growth = Growth {
        setup,
        database,
        seconds: if short { 1 } else { 4 },
        postgres: database.postmaster().await?,
    };
    let mut text = String::new();
    for axis in ALL {
        if axes.is_empty() || axes.contains(&axis) {
            let table = growth.axis(axis, short).await?;
            println!("{table}");
            text.push_str(&table);
            text.push('\n');
        }
    }
    if let Some(root) = root {
        let path = root.join("crates/loadgen/results/growth.md");
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

impl Growth<'_> {
    async fn axis(&self, axis: Axis, short: bool) -> anyhow::Result<String> {
        let mut table = Table::new(axis.heading());
        let mut points = Vec::new();
        for size in axis.points(short) {
            progress(&format!("{axis:?}: {size}"));
            let measured = match axis {
                Axis::Sessions => self.sessions(*size).await?,
                Axis::Restaurants => self.restaurants(*size).await?,
                Axis::Guests => self.guests(*size).await?,
                Axis::Events => self.events(*size).await?,
            };
            let cells = measured.iter().map(|value| rounded(*value));
            table.line(line(size.to_string(), cells));
            points.push(measured);
        }
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let factors = first
                .iter()
                .zip(last)
                .map(|(a, b)| format!("× {:.2}", b / a));
            table.line(line("last : first".to_owned(), factors));
        }
        Ok(table.to_string())
    }

    async fn sessions(&self, count: u64) -> anyhow::Result<Vec<f64>> {
        let idle = self
            .with_a_worker(&format!("idle --sessions {count} --hold 1"))
            .await?;
        // About as many deliveries at each point, and time for each of them.
        let rate = (20_000 / count.max(1)).clamp(1, 50);
        let seconds = self.seconds * 2;
        let fanout = format!("fanout --sessions {count} --rate {rate} --seconds {seconds}");
        let fanout = self.with_a_worker(&fanout).await?;
        Ok(vec![
            idle.bytes_per_session()?,
            1e6 / fanout.deliveries_per_cpu_second()?,
        ])
    }

    async fn restaurants(&self, count: u64) -> anyhow::Result<Vec<f64>> {
        let far = count - 1;
        self.fill(&format!(
            "INSERT INTO restaurants (id, name, slug, time_zone, created_at, last_updated) \
             SELECT gen_random_uuid(), 'Far ' || n, 'far-' || n, 'Europe/Berlin', now(), now() \
             FROM generate_series((SELECT count(*) FROM restaurants), {far}) AS n; \
             INSERT INTO log_heads (restaurant_id, epoch) \
             SELECT id, (SELECT epoch FROM log_heads WHERE restaurant_id = {HERE}) \
             FROM restaurants WHERE id NOT IN (SELECT restaurant_id FROM log_heads); \
             INSERT INTO guests (restaurant_id, id, guest_name, party_size, status, \
             check_in_time, finished_time, created_at, last_updated) \
             SELECT id, gen_random_uuid(), 'Party ' || n, 2, 'completed', at, at, at, at \
             FROM restaurants, generate_series(1, 20) AS n, \
             LATERAL (SELECT now() - make_interval(days => n) AS at) AS t \
             WHERE slug LIKE 'far-%' AND id NOT IN (SELECT restaurant_id FROM guests);"
        ))
        .await?;
        let write = self.asked("write", "").await?;
        let list = self.asked("read", "").await?;
        let rest = format!("idle --sessions {AT_REST} --hold 5");
        let rest = self.with_a_worker(&rest).await?;
        Ok(vec![
            write.worker_micros,
            write.postgres_micros,
            write.p50_ms,
            list.worker_micros,
            list.postgres_micros,
            rest.cpu_micros_per_session_second()? * float(AT_REST),
        ])
    }

    async fn guests(&self, count: u64) -> anyhow::Result<Vec<f64>> {
        self.fill(&format!(
            "INSERT INTO guests (restaurant_id, id, guest_name, phone, party_size, status, \
             check_in_time, finished_time, created_at, last_updated) \
             SELECT {HERE}, gen_random_uuid(), 'Party ' || md5(n::text), '+49 30 ' || 1000000 + n, \
             2, 'completed', at, at, at, at \
             FROM generate_series((SELECT count(*) FROM guests WHERE restaurant_id = {HERE}) + 1, \
             {count}) AS n, LATERAL (SELECT now() - make_interval(hours => 48 + n::int) AS at) AS t;"
        ))
        .await?;
        let write = self.asked("write", "").await?;
        let list = self.asked("read", "").await?;
        let search = self
            .asked("read", " --path /guests?scope=all&limit=50&q=Party%201a2b")
            .await?;
        let all = [write, list, search];
        Ok(all
            .iter()
            .flat_map(|asked| [asked.worker_micros, asked.postgres_micros])
            .collect())
    }

    async fn events(&self, count: u64) -> anyhow::Result<Vec<f64>> {
        self.fill(&format!(
            "INSERT INTO events (restaurant_id, seq, kind, entity_id, audience, frame, created_at) \
             SELECT restaurant_id, seq, 'guest_updated', gen_random_uuid(), 'staff', \
             '{{\"type\":\"guest_updated\",\"seq\":' || seq || ',\"data\":{{\"version\":1}}}}', now() \
             FROM log_heads, generate_series(last_seq + 1, {count}) AS seq \
             WHERE restaurant_id = {HERE}; \
             UPDATE log_heads SET last_seq = greatest(last_seq, {count}) \
             WHERE restaurant_id = {HERE};"
        ))
        .await?;
        let write = self.asked("write", "").await?;
        let head = format!(
            "SELECT 'since=' || last_seq - 100 || '&epoch=' || epoch FROM log_heads \
             WHERE restaurant_id = {HERE}"
        );
        let since = self.database.ask(&head).await?;
        let again = self
            .asked("read", &format!(" --path /sync/delta?{since}"))
            .await?;
        Ok(vec![
            write.worker_micros,
            write.postgres_micros,
            again.worker_micros,
            again.postgres_micros,
            again.p50_ms,
        ])
    }

    async fn fill(&self, sql: &str) -> anyhow::Result<()> {
        self.database.fill(sql).await?;
        self.database.vacuum().await
    }

    async fn asked(&self, scenario: &str, more: &str) -> anyhow::Result<Asked> {
        let seconds = self.seconds;
        let figures = self
            .with_a_worker(&format!(
                "{scenario} --connections 8 --seconds {seconds}{more}"
            ))
            .await?;
        Ok(Asked {
            worker_micros: figures.cpu_micros_per_request()?,
            postgres_micros: figures.others_micros_per_request()?,
            p50_ms: figures.latency()?.p50_ms,
        })
    }

    async fn with_a_worker(&self, scenario: &str) -> anyhow::Result<Figures> {
        let postgres = format!("postgres={}", self.postgres);
        let words = scenario.split(' ').chain(["--also-pids", &postgres]);
        self.setup.measure(1, &words.collect::<Vec<_>>()).await
    }
}

fn line(first: String, others: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(first).chain(others).collect()
}

/// With as many digits as are worth reading.
fn rounded(value: f64) -> String {
    if value < float(10) {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_axis_has_points_that_grow() {
        for axis in ALL {
            for short in [false, true] {
                let points = axis.points(short);
                assert!(points.len() >= 2, "{axis:?}");
                assert!(points.is_sorted_by(|a, b| a < b), "{axis:?}");
            }
        }
    }

    #[test]
    fn figures_are_rounded() {
        assert_eq!(rounded(0.1234), "0.12");
        assert_eq!(rounded(1917.7), "1918");
    }
}

//! What other crates count, shown among this worker's metrics.

use std::sync::Arc;
use std::time::Duration;

use domain::db::{Db, Observer, Standing};
use realtime::bus::{PartStatus, Reach};
use realtime::{Hub, Stats};
use wire::health::BusKind;

use crate::platform::reads::Reads;
use crate::seen::metrics::{Metrics, Sheet};

impl Observer for Metrics {
    fn operation(&self, name: &'static str, elapsed: Duration, is_ok: bool) {
        self.database_operation(name, elapsed, is_ok);
    }
}

/// Shows the pool, the replica, the rooms and the bus whenever somebody asks for the metrics.
pub fn install(metrics: &Arc<Metrics>, db: &Db, reads: &Reads, hub: &Hub, kind: BusKind) {
    let (db, reads, hub) = (db.clone(), reads.clone(), hub.clone());
    metrics.on_scrape(move |sheet| {
        pool(sheet, &db);
        bulkheads(sheet, &db);
        replica(sheet, &reads);
        rooms(sheet, hub.stats());
        bus(sheet, hub.stats(), kind);
        bus_servers(sheet, &hub.bus_status());
        log(sheet, hub.stats());
    });
}

#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floats, and these numbers are small"
)]
fn gauge(sheet: &mut Sheet, name: &str, help: &str, value: i64) {
    sheet.gauge(name, help, value as f64);
}

fn pool(sheet: &mut Sheet, db: &Db) {
    let state = db.state();
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    gauge(
        sheet,
        "db_pool_open",
        "Open connections to the database.",
        count(state.open),
    );
    gauge(
        sheet,
        "db_pool_idle",
        "Open connections that nobody uses.",
        count(state.idle),
    );
    gauge(
        sheet,
        "db_pool_waiting",
        "Callers who wait for a connection, and not for others of their restaurant.",
        count(state.waiting),
    );
    gauge(
        sheet,
        "db_pool_limit",
        "Connections at most.",
        count(state.limit),
    );
}

/// Restaurants that ask for more than they may have at once.
fn bulkheads(sheet: &mut Sheet, db: &Db) {
    let state = db.bulkheads();
    let count = |number: usize| u32::try_from(number).map_or(f64::INFINITY, f64::from);
    sheet.gauges(
        "db_in_line",
        "Reads and writes that wait for others of their own restaurant.",
        "kind",
        [
            ("read", count(state.reads_in_line)),
            ("write", count(state.writes_in_line)),
        ],
    );
    sheet.counters(
        "db_crowded_total",
        "Reads and writes that were refused because their restaurant had too many under way.",
        "kind",
        [
            ("read", state.reads_refused),
            ("write", state.writes_refused),
        ],
    );
    sheet.gauge(
        "db_houses",
        "Restaurants that have something under way, once for reads and once for writes.",
        count(state.houses),
    );
}

fn replica(sheet: &mut Sheet, reads: &Reads) {
    sheet.counters(
        "near_reads_total",
        "Reads that a replica may answer, by who did: the replica, the primary because there is \
         no replica, because it was behind, because it was away.",
        "by",
        reads.counts(),
    );
    let Some(standing) = reads.standing() else {
        return;
    };
    let is_read = matches!(standing, Standing::Fresh(_));
    gauge(
        sheet,
        "replica_up",
        "1 while the replica is read from.",
        i64::from(is_read),
    );
    if let Standing::Fresh(lag) | Standing::Behind(lag) = standing {
        sheet.gauge(
            "replica_lag_seconds",
            "How old the replica is, to a second: that is how often the primary's heart beats.",
            lag.as_secs_f64(),
        );
    }
}

fn rooms(sheet: &mut Sheet, stats: &Stats) {
    gauge(sheet, "sessions", "Open sockets.", stats.sessions.get());
    gauge(
        sheet,
        "rooms",
        "Restaurants that are followed here.",
        stats.rooms.get(),
    );
    sheet.counter(
        "frames_sent_total",
        "Frames handed to sockets.",
        stats.frames_delivered.get(),
    );
    sheet.counter(
        "resumes_total",
        "Sessions that went on where they had been.",
        stats.resumes.get(),
    );
    let resyncs = stats
        .resyncs
        .iter()
        .map(|(reason, counter)| (reason.as_str(), counter.get()));
    sheet.counters(
        "resyncs_total",
        "Sessions that had to take a snapshot.",
        "reason",
        resyncs,
    );
    sheet.counter(
        "renewals_total",
        "Logs that began a new life.",
        stats.renewals.get(),
    );
}

fn bus(sheet: &mut Sheet, stats: &Stats, kind: BusKind) {
    sheet.gauges(
        "bus_kind",
        "By what this worker hears of others: redis, postgres or local.",
        "kind",
        [(kind.as_str(), 1.0)],
    );
    gauge(
        sheet,
        "bus_up",
        "1 while no server of the bus between workers is down.",
        stats.bus_up.get(),
    );
    sheet.counter(
        "bus_connects_total",
        "How often the bus came up.",
        stats.bus_connects.get(),
    );
    sheet.counter(
        "bus_published_total",
        "Transactions published.",
        stats.bus_published.get(),
    );
    let failed = stats.bus_publish_failed.get() + stats.bus_dropped.get();
    sheet.counter(
        "bus_failed_total",
        "Transactions that others found by themselves.",
        failed,
    );
    sheet.counter(
        "bus_received_total",
        "Messages of other workers.",
        stats.bus_received.get(),
    );
    sheet.counter(
        "bus_unreadable_total",
        "Messages that could not be read.",
        stats.bus_unreadable.get(),
    );
    let lag = &stats.bus_lag;
    let classes = lag
        .cumulative()
        .map(|(ms, count)| (Duration::from_millis(ms), count));
    let help = "From COMMIT on another worker to its arrival here.";
    sheet.durations("bus_lag_seconds", help, classes, lag.count(), lag.total());
}

/// One line for each server, by its place in the configuration.
fn bus_servers(sheet: &mut Sheet, parts: &[PartStatus]) {
    let names: Vec<_> = (0..parts.len()).map(|place| place.to_string()).collect();
    let mut gauges = |name: &str, help: &str, value: &dyn Fn(&PartStatus) -> Option<f64>| {
        let known = names.iter().zip(parts);
        let known = known.filter_map(|(name, part)| Some((name.as_str(), value(part)?)));
        sheet.gauges(name, help, "server", known);
    };
    gauges(
        "bus_server_up",
        "1 while this worker hears its own beat.",
        &|part| Some(f64::from(part.reach != Reach::Down)),
    );
    gauges(
        "bus_server_complete",
        "1 while everybody who was heard of late is heard, and in time.",
        &|part| Some(f64::from(part.reach == Reach::Full)),
    );
    gauges(
        "bus_server_silent_workers",
        "Workers that were heard of late and are silent.",
        &|part| u32::try_from(part.silent_workers).ok().map(f64::from),
    );
    gauges(
        "bus_server_last_beat_seconds",
        "Since this worker heard its own beat.",
        &|part| part.last_beat.map(|ago| ago.as_secs_f64()),
    );
    gauges(
        "bus_server_round_trip_seconds",
        "How long the last beat took to the server and back.",
        &|part| part.round_trip.map(|took| took.as_secs_f64()),
    );
    let connects = names.iter().zip(parts);
    sheet.counters(
        "bus_server_connects_total",
        "How often the way to the server opened.",
        "server",
        connects.map(|(name, part)| (name.as_str(), part.connects)),
    );
}

fn log(sheet: &mut Sheet, stats: &Stats) {
    sheet.counter(
        "log_reads_total",
        "Questions to the event log.",
        stats.log_reads.get(),
    );
    sheet.counter(
        "log_failures_total",
        "Questions that it did not answer.",
        stats.log_failures.get(),
    );
    sheet.counter(
        "gap_fills_total",
        "Gaps for which the log was read.",
        stats.gap_fills.get(),
    );
    sheet.counter(
        "gap_events_total",
        "Events read to fill gaps.",
        stats.gap_events.get(),
    );
    sheet.counter(
        "backlog_reads_total",
        "Pages read for sessions far behind.",
        stats.backlog_reads.get(),
    );
    sheet.counter(
        "head_behind_total",
        "Comparisons that found a room behind.",
        stats.head_behind.get(),
    );
    sheet.counter(
        "head_contradicts_total",
        "Comparisons that found the log behind a room.",
        stats.head_contradicts.get(),
    );
    sheet.counter(
        "log_holes_total",
        "Pages of the log that lacked events.",
        stats.log_holes.get(),
    );
}

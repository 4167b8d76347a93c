//! What came of a scenario.

use std::collections::BTreeMap;

use serde::Serialize;

use super::arrivals::to_f64;
use super::commands::{Target, Troubles};
use super::crowd::Heard;
use super::processes::Cost;
use super::requests::Asked;
use super::restaurant::Ledger;
use crate::latency::Summary;
use crate::table::Table;

/// What is printed, with `--json` as one object; what does not apply is left out.
///
/// - `scenario`, `target` (`qtable` or `nchan`), `sessions`
/// - `events`: committed and acknowledged while it was measured; `deliveries`: of these, to sessions
/// - `lost`, `duplicated`, `disordered`: of all events, session by session, or of writes
///   (acknowledged, but not in the log; in the log, but not acknowledged)
/// - `errors`: requests and connections that went wrong; `statuses`: how often each was answered
/// - `connections`: of all sessions; `refused`: of these, at first, when all came back at once
/// - `conflicts`: requests that were refused with 409, as they should be
/// - `seconds`: what was measured; `per_second`: requests, or deliveries where there are sessions
/// - `latency`: from when a request should have been made to its answer; where there are sessions,
///   to the frame at another worker than the one that was asked (at any, if there is but one)
/// - `latency_everywhere`: to the frame at all workers; `requests`: to the answer, beside those
/// - `returns`: from the cut of all connections until a session had caught up
/// - `servers`, `others`: `{name, pid, cpu_seconds, rss_before, rss_after, …}`, memory in bytes
/// - `client_cpu_seconds`: of this program, with all its processes
/// - `deliveries_per_cpu_second`, `cpu_micros_per_request`, `cpu_micros_per_session_second`: of the
///   servers' time
/// - `bytes_per_session`: of the servers' resident memory; `anonymous_bytes_per_session`: without
///   what is of files
/// - `frame_bytes`: of an event, on average
/// - `operations`: for each kind of request its own `latency` and counts
/// - `findings`: in words, what was wrong
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sessions: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliveries: Option<u64>,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) disordered: u64,
    pub(crate) errors: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) statuses: BTreeMap<u16, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conflicts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connections: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<u64>,
    pub(crate) seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_everywhere: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) returns: Option<Summary>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) servers: Vec<Cost>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<Cost>,
    pub(crate) client_cpu_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliveries_per_cpu_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_micros_per_request: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_micros_per_session_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_per_session: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) anonymous_bytes_per_session: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame_bytes: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) operations: Vec<Operation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) findings: Vec<String>,
}

/// One kind of request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) conflicts: u64,
    pub(crate) latency: Summary,
}

impl Report {
    pub(crate) fn new(scenario: &'static str) -> Self {
        Self {
            scenario,
            ..Self::default()
        }
    }

    /// Whether nothing was lost and nothing went wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.duplicated + self.disordered + self.errors == 0 && self.findings.is_empty()
    }

    /// Notes what was answered.
    pub(crate) fn add_asked(&mut self, asked: &Asked) {
        self.errors += asked.errors();
        for (status, count) in &asked.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (why, count) in &asked.broken {
            self.findings
                .push(format!("{count} requests without an answer: {why}"));
        }
    }

    /// Notes what the log says of the changes.
    pub(crate) const fn add_ledger(&mut self, ledger: Ledger) {
        self.lost += ledger.lost;
        self.duplicated += ledger.duplicated;
    }

    /// Counts connections that were refused or ended by themselves, where none should.
    pub(crate) fn add_troubles(&mut self, troubles: &Troubles) {
        for (what, count) in troubles.ended.iter().chain(&troubles.refused) {
            self.errors += count;
            self.findings.push(format!("{count} connections: {what}"));
        }
    }

    /// Notes what the sessions heard.
    pub(crate) fn add_heard(&mut self, heard: &Heard) {
        self.lost += heard.faults.lost;
        self.duplicated += heard.faults.duplicated;
        self.disordered += heard.faults.disordered;
        self.errors += heard.resyncs;
        if heard.resyncs > 0 {
            self.findings
                .push(format!("{} resyncs without need", heard.resyncs));
        }
        self.client_cpu_seconds += heard.cpu_seconds;
        self.connections = Some(heard.connections);
        if heard.events > 0 {
            self.frame_bytes = Some(to_f64(heard.event_bytes) / to_f64(heard.events));
        }
        self.latency_everywhere = Some(heard.latency.summary());
        let elsewhere = heard.latency_elsewhere.summary();
        self.latency = if elsewhere.count > 0 {
            Some(elsewhere)
        } else {
            self.latency_everywhere
        };
    }
}

/// A ratio, if there is one.
pub(crate) fn ratio(of: f64, to: f64) -> Option<f64> {
    (to > 0.0).then(|| of / to)
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut table = Table::new([self.scenario, ""]);
        let mut line = |what: &str, value: String| table.line([what.to_owned(), value]);
        let count = |number: Option<u64>| number.map(|number| number.to_string());
        let float = |number: Option<f64>| number.map(|number| format!("{number:.1}"));
        let latency = |one: Option<Summary>| {
            one.filter(|one| one.count > 0).map(|one| {
                let Summary {
                    p50_ms,
                    p90_ms,
                    p99_ms,
                    max_ms,
                    ..
                } = one;
                format!("{p50_ms:.2} / {p90_ms:.2} / {p99_ms:.2} / {max_ms:.2} ms")
            })
        };
        let statuses = self
            .statuses
            .iter()
            .map(|(status, count)| format!("{count} × {status}"));
        let statuses = statuses.collect::<Vec<_>>().join(", ");
        for (what, value) in [
            (
                "sessions",
                self.sessions.map(|sessions| sessions.to_string()),
            ),
            ("seconds", Some(format!("{:.2}", self.seconds))),
            ("events", count(self.events)),
            ("deliveries", count(self.deliveries)),
            ("per second", float(self.per_second)),
            ("p50 / p90 / p99 / longest", latency(self.latency)),
            ("… at all workers", latency(self.latency_everywhere)),
            ("… of the requests", latency(self.requests)),
            ("… until back again", latency(self.returns)),
            ("answers", (!statuses.is_empty()).then_some(statuses)),
            ("connections", count(self.connections)),
            ("… refused at first", count(self.refused)),
            (
                "deliveries per CPU second",
                float(self.deliveries_per_cpu_second),
            ),
            ("CPU µs per request", float(self.cpu_micros_per_request)),
            (
                "CPU µs per session and second",
                float(self.cpu_micros_per_session_second),
            ),
            ("bytes per session", float(self.bytes_per_session)),
            (
                "… without those of files",
                float(self.anonymous_bytes_per_session),
            ),
            ("bytes of a frame", float(self.frame_bytes)),
            (
                "CPU seconds of this program",
                Some(format!("{:.2}", self.client_cpu_seconds)),
            ),
            ("lost", Some(self.lost.to_string())),
            ("duplicated", Some(self.duplicated.to_string())),
            ("disordered", Some(self.disordered.to_string())),
            ("conflicts, as they should be", count(self.conflicts)),
            ("errors", Some(self.errors.to_string())),
        ] {
            if let Some(value) = value {
                line(what, value);
            }
        }
        writeln!(f, "{table}")?;
        if !self.operations.is_empty() {
            let mut table = Table::new([
                "operation",
                "times",
                "conflicts",
                "p50 / p90 / p99 / longest",
            ]);
            for one in &self.operations {
                table.line([
                    one.name.to_owned(),
                    one.latency.count.to_string(),
                    one.conflicts.to_string(),
                    latency(Some(one.latency)).unwrap_or_default(),
                ]);
            }
            writeln!(f, "{table}")?;
        }
        if !self.servers.is_empty() {
            let mut table =
                Table::new(["process", "pid", "CPU seconds", "MiB before", "MiB after"]);
            for cost in self.servers.iter().chain(&self.others) {
                table.line([
                    cost.name.clone(),
                    cost.pid.to_string(),
                    format!("{:.2}", cost.cpu_seconds),
                    (cost.rss_before >> 20).to_string(),
                    (cost.rss_after >> 20).to_string(),
                ]);
            }
            writeln!(f, "{table}")?;
        }
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        Ok(())
    }
}

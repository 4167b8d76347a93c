//! What a process that holds sessions is told, line by line, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::Seq;

use super::check::Faults;
use super::clock::Nanos;
use super::worker::Worker;

/// The first line: what to follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) target: Target,
    pub(crate) workers: Vec<Worker>,
    /// Session `n` follows `n % groups`.
    pub(crate) groups: Vec<Group>,
    /// This process holds the sessions `part`, `part + parts`, ….
    pub(crate) part: usize,
    pub(crate) parts: usize,
    /// How many connections are opened at the same time, at first.
    pub(crate) at_once: usize,
    /// After how many seconds on average a session leaves, to come back soon, if it may.
    pub(crate) stays: f64,
}

/// Whose sockets these are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// Ours: it says where the log stands, and resumes.
    #[default]
    Qtable,
    /// The module of nginx, which passes on what it is given.
    Nchan,
}

/// What a group of sessions follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// Path and query.
    pub(crate) path: String,
    pub(crate) token: Option<String>,
}

/// All lines after the first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    /// Have so many sessions, all processes together.
    Open { sessions: usize },
    /// Say how it is going; who has not heard up to here, group by group, is behind.
    Status { heads: Vec<Seq> },
    /// Cut all connections and come back at once.
    Cut,
    /// Let sessions leave and come back as they like, or have all stay.
    Roam { may: bool },
    /// Say what came of it, where the logs stand here, and go.
    Finish { heads: Vec<Seq> },
}

/// The answer to each order but the last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Sessions that have been told all up to where the log stood when they connected.
    pub(crate) live: usize,
    /// Sessions that are not live, or behind the given head.
    pub(crate) behind: usize,
    /// Connections that were opened.
    pub(crate) connections: u64,
    /// Events heard.
    pub(crate) events: u64,
    /// Frames that are neither events nor heartbeats.
    pub(crate) others: u64,
    /// When the last event was heard.
    pub(crate) last_event: Nanos,
    pub(crate) troubles: Troubles,
}

/// What should not happen often, in words, and how often it did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Troubles {
    /// Connections that were not opened, and why.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Connections that ended though nobody here wanted it, and how.
    pub(crate) ended: BTreeMap<String, u64>,
}

/// The answer to the last order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) faults: Faults,
    pub(crate) events: u64,
    /// Events and bytes of their frames, to know how long one is.
    pub(crate) event_bytes: u64,
    /// Connections that were opened.
    pub(crate) connections: u64,
    /// Times that a session could not go on where it stood.
    pub(crate) resyncs: u64,
    /// From when an event should have been asked for to its frame, as `Latency::counts`.
    pub(crate) latency: Vec<(u64, u64)>,
    /// The same, at workers other than the one that was asked.
    pub(crate) latency_elsewhere: Vec<(u64, u64)>,
    /// From the cut of all connections until a session was live again.
    pub(crate) returns: Vec<(u64, u64)>,
    /// Of this process.
    pub(crate) cpu_seconds: f64,
    pub(crate) troubles: Troubles,
}

impl Troubles {
    /// Adds another process's.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, part) in [
            (&mut self.refused, &other.refused),
            (&mut self.ended, &other.ended),
        ] {
            for (what, count) in part {
                *sum.entry(what.clone()).or_default() += count;
            }
        }
    }

    /// The most frequent of each, for people.
    pub(crate) fn words(&self) -> String {
        let most = |troubles: &BTreeMap<String, u64>| {
            let most = troubles.iter().max_by_key(|(_, count)| **count);
            most.map_or("none".to_owned(), |(what, count)| {
                format!("{count} × {what}")
            })
        };
        format!(
            "refused: {}; ended: {}",
            most(&self.refused),
            most(&self.ended)
        )
    }
}

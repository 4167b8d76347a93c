//! What came of it, in one table.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use wire::{Epoch, RestaurantId, Seq};

use super::Args;
use super::faults::{Episode, Harm};
use super::greed::Greed;
use super::ledger::{Accounts, Ledger, Outcome};
use super::schedule::{Kind, LANES};
use crate::judge::{Truth, Verdict};
use crate::latency::{Latency, Summary};
use crate::table::Table;
use crate::transcript::{Heard, Transcript};

/// For how long after it was healed a fault may still be felt: until the next comparison of heads,
/// or until a client has come back.
const AFTERMATH: Duration = Duration::from_secs(3);

/// Everything that is told.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    seed: u64,
    seconds: f64,
    workers: u8,
    devices: usize,
    writers: usize,
    broken: Option<String>,
    faults: Vec<Felt>,
    /// From a writer's answer to the frame, where no fault was felt.
    calm: Summary,
    /// The same, all in all.
    all: Summary,
    events: Verdict,
    writes: Accounts,
    /// From a writer's request to its answer.
    answers: Summary,
    resyncs: u64,
    connections: u64,
    /// Events in all lives of all logs.
    committed: usize,
    memory: Memory,
    /// Before all that: a greedy house beside others.
    greed: Greed,
    processes: Vec<String>,
}

/// How a kind of fault was felt.
#[derive(Debug, Serialize)]
struct Felt {
    kind: Kind,
    times: usize,
    /// The longest delay of an event while no other fault lasted.
    longest_alone_ms: Option<f64>,
    /// The longest delay of an event, whatever else lasted.
    longest_ms: Option<f64>,
}

/// The greatest worker's memory, in bytes.
#[derive(Debug, Default, Serialize)]
struct Memory {
    /// In the first and in the last third of the time.
    first_third: u64,
    last_third: u64,
}

impl Report {
    pub(crate) fn new(
        args: &Args,
        harm: &Harm,
        greed: Greed,
        ledgers: &[Ledger],
        transcripts: &[Transcript],
        truth: &Truth,
    ) -> anyhow::Result<Self> {
        let episodes = super::lock(&harm.episodes).clone();
        let mut events = Verdict::default();
        for transcript in transcripts {
            events.judge(transcript, truth);
        }
        let mut writes = Accounts::default();
        writes.audit(ledgers, truth);
        let mut answers = Latency::new()?;
        for ledger in ledgers {
            answers.add(&ledger.latency)?;
        }
        let delays = Delays::measure(ledgers, transcripts, &episodes)?;
        Ok(Self {
            seed: args.seed,
            seconds: args.length().as_secs_f64(),
            workers: args.workers,
            devices: args.devices,
            writers: args.writers,
            broken: args.broken.clone(),
            faults: delays.felt(&episodes),
            calm: delays.calm.summary(),
            all: delays.all.summary(),
            events,
            writes,
            answers: answers.summary(),
            resyncs: transcripts.iter().map(|one| one.resyncs).sum(),
            connections: transcripts.iter().map(|one| one.connections).sum(),
            committed: truth.committed(),
            memory: Memory::of(&super::lock(&harm.memory)),
            greed,
            processes: super::lock(&harm.complaints).clone(),
        })
    }

    /// Whether the promise was kept.
    pub(crate) fn is_clean(&self) -> bool {
        self.events.is_clean()
            && self.writes.is_clean()
            && self.greed.is_clean()
            && self.processes.is_empty()
    }
}

impl Memory {
    fn of(samples: &[u64]) -> Self {
        let third = samples.len().div_ceil(3);
        let greatest = |samples: &[u64]| samples.iter().copied().max().unwrap_or(0);
        Self {
            first_third: greatest(samples.get(..third).unwrap_or_default()),
            last_third: greatest(samples.get(samples.len() - third..).unwrap_or_default()),
        }
    }
}

/// How late events were.
struct Delays {
    calm: Latency,
    all: Latency,
    alone: HashMap<Kind, Duration>,
    longest: HashMap<Kind, Duration>,
}

impl Delays {
    /// From the writer's answer, or from when the device began to listen if that was later, to the
    /// frame: on one clock, that of this machine.
    fn measure(
        ledgers: &[Ledger],
        transcripts: &[Transcript],
        episodes: &[Episode],
    ) -> anyhow::Result<Self> {
        let mut delays = Self {
            calm: Latency::new()?,
            all: Latency::new()?,
            alone: HashMap::new(),
            longest: HashMap::new(),
        };
        let answered = answered(ledgers);
        for transcript in transcripts {
            for span in &transcript.spans {
                for heard in &span.heard {
                    let Heard::Event { seq, at, ready, .. } = *heard else {
                        continue;
                    };
                    if let Some(told) = answered.get(&(transcript.restaurant, span.epoch, seq)) {
                        delays.record((*told).max(ready), at, episodes);
                    }
                }
            }
        }
        Ok(delays)
    }

    fn record(&mut self, from: Instant, at: Instant, episodes: &[Episode]) {
        let delay = at.saturating_duration_since(from);
        self.all.record(delay);
        let felt: Vec<Kind> = episodes
            .iter()
            .filter(|one| one.began <= at && from <= one.healed + AFTERMATH)
            .map(|one| one.kind)
            .collect();
        if felt.is_empty() {
            self.calm.record(delay);
        }
        let longer = |longest: &mut HashMap<Kind, Duration>, kind| {
            let known = longest.entry(kind).or_default();
            *known = delay.max(*known);
        };
        if let [kind] = *felt {
            longer(&mut self.alone, kind);
        }
        for kind in felt {
            longer(&mut self.longest, kind);
        }
    }

    fn felt(&self, episodes: &[Episode]) -> Vec<Felt> {
        let ms = |longest: &HashMap<Kind, Duration>, kind| {
            longest.get(&kind).map(|delay| delay.as_secs_f64() * 1000.0)
        };
        LANES
            .concat()
            .into_iter()
            .map(|kind| Felt {
                kind,
                times: episodes.iter().filter(|one| one.kind == kind).count(),
                longest_alone_ms: ms(&self.alone, kind),
                longest_ms: ms(&self.longest, kind),
            })
            .collect()
    }
}

/// When the writers were told of which event.
fn answered(ledgers: &[Ledger]) -> HashMap<(RestaurantId, Epoch, Seq), Instant> {
    let entries = ledgers.iter().flat_map(|ledger| {
        let restaurant = ledger.restaurant;
        ledger
            .entries
            .iter()
            .filter_map(move |entry| match entry.outcome {
                Outcome::Done {
                    position: Some(position),
                    at,
                } => Some(((restaurant, position.epoch, position.seq), at)),
                _ => None,
            })
    });
    entries.collect()
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |value: Option<f64>| value.map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
        let mut faults = Table::new([
            "fault",
            "times",
            "longest delay, alone",
            "with others at the same time",
        ]);
        for felt in &self.faults {
            faults.line([
                felt.kind.words().to_owned(),
                felt.times.to_string(),
                ms(felt.longest_alone_ms),
                ms(felt.longest_ms),
            ]);
        }
        faults.line([
            "none".to_owned(),
            String::new(),
            ms(Some(self.calm.max_ms)),
            String::new(),
        ]);
        writeln!(
            f,
            "\nseed {}, {:.0} s of faults, {} workers, {} devices, {} writers{}\n",
            self.seed,
            self.seconds,
            self.workers,
            self.devices,
            self.writers,
            self.broken
                .as_ref()
                .map_or(String::new(), |broken| format!(", broken: {broken}")),
        )?;
        writeln!(f, "{faults}")?;

        let (events, writes) = (&self.events, &self.writes);
        let mut totals = Table::new(["all in all", "count"]);
        let mut line = |what: &str, count: String| totals.line([what.to_owned(), count]);
        line("events committed", self.committed.to_string());
        line("events delivered", events.delivered.to_string());
        line("events lost", events.lost.to_string());
        line("events duplicated", events.duplicated.to_string());
        line("events disordered", events.disordered.to_string());
        line("events with other bytes", events.altered.to_string());
        line("events of nobody's", events.foreign.to_string());
        line("writes acknowledged", writes.acknowledged.to_string());
        line(
            "of these, rewound with the database",
            writes.rewound.to_string(),
        );
        line("writes refused", writes.refused.to_string());
        line("writes lost", writes.lost.to_string());
        line("writes done twice", writes.doubled.to_string());
        line(
            "writes refused, yet done",
            writes.false_refusals.to_string(),
        );
        line("writes without an answer", writes.unresolved.to_string());
        line(
            "other breaches of the contract",
            (events.complaints + writes.complaints + self.processes.len() as u64).to_string(),
        );
        line("resyncs", self.resyncs.to_string());
        line("connections", self.connections.to_string());
        for (status, count) in &writes.server_errors {
            line(&format!("{status} seen by writers"), count.to_string());
        }
        line("requests cut off", writes.unanswered.to_string());
        let summary = |one: &Summary| {
            let Summary {
                p50_ms,
                p99_ms,
                max_ms,
                ..
            } = one;
            format!("{p50_ms:.1} / {p99_ms:.0} / {max_ms:.0} ms")
        };
        line("delay of events, p50 / p99 / longest", summary(&self.all));
        line(
            "answer to a write, p50 / p99 / longest",
            summary(&self.answers),
        );
        line(
            "greatest worker, first / last third",
            format!(
                "{} / {} MiB",
                self.memory.first_third >> 20,
                self.memory.last_third >> 20
            ),
        );
        writeln!(f, "{totals}")?;
        writeln!(f, "{}", of_greed(&self.greed))?;
        let found = events.findings.iter().chain(&writes.findings);
        let found = found.chain(self.greed.findings());
        for finding in found.chain(&self.processes) {
            writeln!(f, "  {finding}")?;
        }
        let verdict = if self.is_clean() {
            "Nothing was lost, doubled or out of order."
        } else {
            "THE PROMISE WAS BROKEN."
        };
        writeln!(f, "{verdict}")
    }
}

/// What others noticed of a greedy house, as a table.
pub(crate) fn of_greed(greed: &Greed) -> Table {
    let mut table = Table::new(["one greedy house", "before the faults"]);
    for (what, much) in greed.lines() {
        table.line([what.to_owned(), much]);
    }
    table
}

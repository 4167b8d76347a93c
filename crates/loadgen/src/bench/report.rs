//! The result in words: a table that `docs/proof.md` takes, and the same as JSON.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::results::{Aim, LINES, Line, Results, Rounds, Spread, Verdict, What, Who};
use crate::table::Table;

/// Everything that is told.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) machine: Machine,
    /// How it was measured, a sentence each.
    pub(super) notes: Vec<String>,
    pub(super) rounds: usize,
    pub(super) results: Results,
    pub(super) chaos: Option<Chaos>,
}

/// What came of `scripts/chaos`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Chaos {
    events: Delivered,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Delivered {
    delivered: u64,
    lost: u64,
    duplicated: u64,
    disordered: u64,
}

impl Chaos {
    /// Reads the report that `qtable-load chaos --json` has written.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        serde_json::from_slice(&text).context("the report of chaos")
    }

    fn is_clean(&self) -> bool {
        let Delivered {
            delivered,
            lost,
            duplicated,
            disordered,
        } = self.events;
        delivered > 0 && lost + duplicated + disordered == 0
    }

    fn words(&self) -> String {
        let events = self.events;
        let all = events.delivered + events.lost;
        let part = super::per(events.delivered, all) * 100.0;
        // A part that is not whole must not be rounded to one.
        let part = if events.lost > 0 {
            part.min(99.9999)
        } else {
            part
        };
        format!(
            "{part:.4} % of {}, {} twice, {} out of order",
            thousands(super::float(all)),
            events.duplicated,
            events.disordered
        )
    }
}

impl Who {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Qtable => "QTable",
            Self::Pgbench => "pgbench, same statements",
            Self::Nchan => "Nchan",
            Self::NchanRedis => "Nchan with Redis",
            Self::Redis => "Redis alone",
        }
    }
}

impl What {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Writes => "update a guest over HTTP",
            Self::Reads => "list 50 guests over HTTP",
            Self::Burst => "deliveries per CPU second, in bursts",
            Self::Steady => "deliveries per CPU second, many sessions",
            Self::SteadyP99 => "the same: event to frame, p99",
            Self::Idle => "memory per idle session",
            Self::BusP50 => "worker to worker beyond the request, p50",
            Self::BusP99 => "worker to worker with the request, p99",
        }
    }

    /// A figure with its unit.
    pub(super) fn figure(self, figure: f64) -> String {
        match self {
            Self::Writes | Self::Reads => format!("{}/s", thousands(figure)),
            Self::Burst | Self::Steady => thousands(figure),
            Self::SteadyP99 => format!("{figure:.1} ms"),
            Self::BusP50 | Self::BusP99 => format!("{figure:.2} ms"),
            Self::Idle => format!("{:.1} KiB", figure / 1024.0),
        }
    }

    fn spread(self, spread: Option<Spread>) -> Option<String> {
        let Spread {
            median,
            least,
            greatest,
        } = spread?;
        let [median, least, greatest] = [median, least, greatest].map(|one| self.figure(one));
        Some(if least == greatest {
            median
        } else {
            format!("{median} ({least} – {greatest})")
        })
    }
}

/// `12,345`
fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Aim {
    fn words(self, what: What) -> String {
        match self {
            Self::AtLeast(part) => format!("≥ {:.0} %", part * 100.0),
            Self::AtMost(part) => format!("≤ {:.0} %", part * 100.0),
            Self::Within(limit) => format!("≤ {}", what.figure(limit)),
            Self::Nothing => "–".to_owned(),
        }
    }
}

impl Verdict {
    const fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "**missed**",
            Self::NoAim => "–",
            Self::PeerMissing => "peer missing",
            Self::NotMeasured => "not measured",
        }
    }
}

impl Report {
    /// The table and the notes, as Markdown.
    pub(super) fn markdown(&self) -> String {
        let results = &self.results;
        let none = || "–".to_owned();
        let mut table = Table::new(["", "QTable", "peer", "", "ratio", "to reach", "result"]);
        for line in &LINES {
            let spread = |who| line.what.spread(results.spread(line.what, who));
            table.line([
                line.what.words().to_owned(),
                spread(Who::Qtable).unwrap_or_else(none),
                line.peer.words().to_owned(),
                spread(line.peer).unwrap_or_else(none),
                results
                    .ratio(line)
                    .map_or_else(none, |ratio| format!("{:.0} %", ratio * 100.0)),
                line.aim.words(line.what),
                results.verdict(line).words().to_owned(),
            ]);
        }
        let told = |chaos: &Chaos| {
            if chaos.is_clean() {
                "met"
            } else {
                "**missed**"
            }
        };
        table.line([
            "delivered through faults (`scripts/chaos`)".to_owned(),
            self.chaos.map_or_else(none, |chaos| chaos.words()),
            none(),
            none(),
            none(),
            "100.0000 %, 0, 0".to_owned(),
            self.chaos.as_ref().map_or("not measured", told).to_owned(),
        ]);
        let mut text = format!("{table}\n");
        for (who, why) in &results.missing {
            text.push_str(&format!("{} was not measured: {why}.\n\n", who.words()));
        }
        let rounds = match self.rounds {
            1 => "One round.".to_owned(),
            rounds => {
                format!("Medians of {rounds} rounds, each of them in turn; least – greatest.")
            }
        };
        text.push_str(&format!("{rounds} {}\n", self.machine));
        for note in &self.notes {
            text.push_str(&format!("\n- {note}"));
        }
        text.push('\n');
        text
    }

    /// Everything, figures of all rounds included.
    ///
    /// # Errors
    /// Never.
    pub(super) fn json(&self) -> anyhow::Result<Vec<u8>> {
        #[derive(Serialize)]
        struct Told<'a> {
            machine: &'a Machine,
            notes: &'a [String],
            lines: Vec<ToldLine>,
            chaos: Option<Chaos>,
            missing: &'a std::collections::BTreeMap<Who, String>,
            rounds: Vec<Rounds<'a>>,
        }
        #[derive(Serialize)]
        struct ToldLine {
            #[serde(flatten)]
            line: Line,
            ours: Option<Spread>,
            theirs: Option<Spread>,
            ratio: Option<f64>,
            verdict: Verdict,
        }
        let results = &self.results;
        let told = |line: &Line| ToldLine {
            line: *line,
            ours: results.spread(line.what, Who::Qtable),
            theirs: results.spread(line.what, line.peer),
            ratio: results.ratio(line),
            verdict: results.verdict(line),
        };
        Ok(serde_json::to_vec_pretty(&Told {
            machine: &self.machine,
            notes: &self.notes,
            lines: LINES.iter().map(told).collect(),
            chaos: self.chaos,
            missing: &results.missing,
            rounds: results.rounds(),
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut results = Results::default();
        for figure in [4000.0, 5000.0, 4500.0] {
            results.add(What::Writes, Who::Qtable, figure);
            results.add(What::Writes, Who::Pgbench, figure * 2.0);
        }
        results.add(What::Burst, Who::Qtable, 412_345.0);
        results.add(What::Idle, Who::Qtable, 6200.0);
        let why = "there is no libnginx-mod-nchan";
        results.missing.insert(Who::Nchan, why.to_owned());
        Report {
            machine: Machine::default(),
            notes: vec!["A note.".to_owned()],
            rounds: 3,
            results,
            chaos: None,
        }
    }

    #[test]
    fn every_line_is_told_with_its_ratio_and_whether_it_is_met() {
        let text = report().markdown();
        let cells = |start: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.starts_with(start)).unwrap();
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        };
        assert_eq!(
            cells("| update a guest"),
            [
                "update a guest over HTTP",
                "4,500/s (4,000/s – 5,000/s)",
                "pgbench, same statements",
                "9,000/s (8,000/s – 10,000/s)",
                "50 %",
                "≥ 50 %",
                "met",
            ]
        );
        assert_eq!(cells("| list 50").last().unwrap(), "not measured");
        assert_eq!(
            cells("| deliveries per CPU").last().unwrap(),
            "peer missing"
        );
        assert_eq!(cells("| memory").last().unwrap(), "**missed**");
        assert_eq!(cells("| delivered through").last().unwrap(), "not measured");
        assert!(text.contains("Nchan was not measured: there is no libnginx-mod-nchan."));
        assert!(text.ends_with("- A note.\n"));
        let json: serde_json::Value = serde_json::from_slice(&report().json().unwrap()).unwrap();
        assert_eq!(json["lines"][0]["verdict"], "met");
        assert_eq!(json["lines"][0]["ours"]["median"], 4500.0);
    }

    #[test]
    fn a_single_loss_is_not_rounded_away() {
        let chaos = |lost| Chaos {
            events: Delivered {
                delivered: 9_999_999_999,
                lost,
                duplicated: 0,
                disordered: 0,
            },
        };
        assert!(
            chaos(0).is_clean() && chaos(0).words().starts_with("100.0000 % of 9,999,999,999,")
        );
        assert!(!chaos(1).is_clean() && chaos(1).words().starts_with("99.9999 %"));
    }

    #[test]
    fn figures_are_grouped() {
        let groups = [0.4, 999.0, 1000.0, 1_234_567.0].map(thousands);
        assert_eq!(groups, ["0", "999", "1,000", "1,234,567"]);
    }
}

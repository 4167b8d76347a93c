//! What was measured, of whom, and whether it is what must be reached.

use std::collections::BTreeMap;

use serde::Serialize;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    Qtable,
    Pgbench,
    Nchan,
    NchanRedis,
    Redis,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// Updates of a guest per second.
    Writes,
    /// Lists of 50 guests per second.
    Reads,
    /// Deliveries per CPU second of the servers, as fast as events come.
    Burst,
    /// Deliveries per CPU second of the servers, at a few events per second for many sessions.
    Steady,
    /// Milliseconds from when an event was due to its frame, for 99 of 100 frames of [`What::Steady`].
    SteadyP99,
    /// Bytes of memory for each session that is open and silent.
    Idle,
    /// Milliseconds from a change at one worker to the frame at the other, beyond the time of the
    /// request; the median.
    BusP50,
    /// Milliseconds from a change at one worker to the frame at the other, for 99 of 100. With the
    /// time of the request: that of the slowest frames is not that of the slowest requests.
    BusP99,
}

/// What must be reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Aim {
    /// At least this part of the peer's figure.
    AtLeast(f64),
    /// At most this part of the peer's figure.
    AtMost(f64),
    /// At most this, whatever the peer's figure is.
    Within(f64),
    /// Nothing; it is good to know.
    Nothing,
}

/// A line of the result: a figure beside that of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) what: What,
    pub(super) peer: Who,
    pub(super) aim: Aim,
}

/// All lines, in their order.
pub(super) const LINES: [Line; 10] = [
    line(What::Writes, Who::Pgbench, Aim::AtLeast(0.5)),
    line(What::Reads, Who::Pgbench, Aim::AtLeast(0.4)),
    line(What::Burst, Who::Nchan, Aim::AtLeast(1.0)),
    line(What::Burst, Who::NchanRedis, Aim::AtLeast(1.0)),
    line(What::Steady, Who::Nchan, Aim::AtLeast(1.0)),
    line(What::Steady, Who::NchanRedis, Aim::AtLeast(1.0)),
    line(What::SteadyP99, Who::Nchan, Aim::AtMost(1.0)),
    line(What::Idle, Who::Nchan, Aim::Within(6.0 * 1024.0)),
    line(What::BusP50, Who::Redis, Aim::Nothing),
    line(What::BusP99, Who::Redis, Aim::Nothing),
];

const fn line(what: What, peer: Who, aim: Aim) -> Line {
    Line { what, peer, aim }
}

/// Whether an aim was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Met,
    Missed,
    /// There is nothing to reach.
    NoAim,
    /// There is nothing to compare with.
    PeerMissing,
    NotMeasured,
}

/// Figures of all rounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Results {
    figures: BTreeMap<(What, Who), Vec<f64>>,
    /// Why a peer could not be measured.
    pub(super) missing: BTreeMap<Who, String>,
}

/// The middle of several rounds, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Spread {
    /// Of some figures; `None` of none.
    pub(super) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(*sorted.get(middle - 1)?, upper)
        } else {
            upper
        };
        Some(Self {
            median,
            least: *sorted.first()?,
            greatest: *sorted.last()?,
        })
    }
}

impl Results {
    /// Adds a round's figure.
    pub(super) fn add(&mut self, what: What, who: Who, figure: f64) {
        self.figures.entry((what, who)).or_default().push(figure);
    }

    /// All rounds of one figure.
    pub(super) fn spread(&self, what: What, who: Who) -> Option<Spread> {
        Spread::of(self.figures.get(&(what, who))?)
    }

    /// The part of the peer's figure.
    pub(super) fn ratio(&self, line: &Line) -> Option<f64> {
        let ours = self.spread(line.what, Who::Qtable)?.median;
        let theirs = self.spread(line.what, line.peer)?.median;
        (theirs > 0.0).then(|| ours / theirs)
    }

    /// Whether a line's aim was reached. What is within an aim only when it is rounded is not.
    pub(super) fn verdict(&self, line: &Line) -> Verdict {
        let Some(ours) = self.spread(line.what, Who::Qtable) else {
            return Verdict::NotMeasured;
        };
        let of_the_peer = |is_met: &dyn Fn(f64) -> bool| match self.ratio(line) {
            Some(ratio) => told(is_met(ratio)),
            None => Verdict::PeerMissing,
        };
        match line.aim {
            Aim::AtLeast(part) => of_the_peer(&|ratio| ratio >= part),
            Aim::AtMost(part) => of_the_peer(&|ratio| ratio <= part),
            Aim::Within(limit) => told(ours.median <= limit),
            Aim::Nothing => Verdict::NoAim,
        }
    }

    /// All figures, round by round.
    pub(super) fn rounds(&self) -> Vec<Rounds<'_>> {
        self.figures
            .iter()
            .map(|((what, who), figures)| Rounds {
                what: *what,
                who: *who,
                figures,
            })
            .collect()
    }
}

/// The figures of all rounds.
#[derive(Debug, Serialize)]
pub(super) struct Rounds<'a> {
    what: What,
    who: Who,
    figures: &'a [f64],
}

const fn told(is_met: bool) -> Verdict {
    if is_met {
        Verdict::Met
    } else {
        Verdict::Missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_the_middle() {
        assert_eq!(Spread::of(&[]), None);
        let spread = |figures: &[f64]| {
            let Spread {
                median,
                least,
                greatest,
            } = Spread::of(figures).unwrap();
            (median, least, greatest)
        };
        assert_eq!(spread(&[3.0]), (3.0, 3.0, 3.0));
        assert_eq!(spread(&[9.0, 1.0, 2.0]), (2.0, 1.0, 9.0));
        assert_eq!(spread(&[4.0, 1.0, 100.0, 2.0]), (3.0, 1.0, 100.0));
    }

    #[test]
    fn aims_are_met_or_missed_and_never_without_a_peer() {
        let mut results = Results::default();
        let [writes, .., p99, idle, bus, _] = LINES;
        assert_eq!(results.verdict(&writes), Verdict::NotMeasured);
        results.add(What::Writes, Who::Qtable, 500.0);
        assert_eq!(results.verdict(&writes), Verdict::PeerMissing);
        results.add(What::Writes, Who::Pgbench, 1000.0);
        assert_eq!(results.verdict(&writes), Verdict::Met);
        results.add(What::Writes, Who::Qtable, 499.0);
        assert_eq!(results.verdict(&writes), Verdict::Missed);

        results.add(What::SteadyP99, Who::Qtable, 10.0);
        results.add(What::SteadyP99, Who::Nchan, 9.0);
        assert_eq!(results.verdict(&p99), Verdict::Missed);
        results.add(What::Idle, Who::Qtable, 6144.0);
        assert_eq!(results.verdict(&idle), Verdict::Met);
        results.add(What::Idle, Who::Qtable, 6146.0);
        assert_eq!(results.verdict(&idle), Verdict::Missed);
        results.add(What::BusP50, Who::Qtable, 1.0);
        assert_eq!(results.verdict(&bus), Verdict::NoAim);
        results.add(What::BusP50, Who::Redis, 0.0);
        assert_eq!(results.ratio(&bus), None);
    }
}

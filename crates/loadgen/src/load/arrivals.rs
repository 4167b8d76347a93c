//! When requests are made.
//!
//! In the open loop requests arrive by the clock, whether or not those before them were answered,
//! and their latency counts from when they should have been made: an answer that was slow cannot
//! hide those that it kept waiting (coordinated omission). In the closed loop each connection
//! asks again as soon as it was answered.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::clock::{self, Nanos};

/// One request that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// From 0.
    pub(crate) number: u64,
    /// When it should be made.
    pub(crate) at: Nanos,
}

/// How many requests, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Requests per second; none means as fast as the answers come.
    pub(crate) rate: Option<f64>,
    /// For how long.
    pub(crate) length: Duration,
    /// At most so many.
    pub(crate) most: u64,
}

/// Those requests, to be taken by several connections.
pub(crate) struct Arrivals {
    pace: Pace,
    start: Nanos,
    kind: Kind,
}

enum Kind {
    Closed(Cell<u64>),
    Open(Mutex<UnboundedReceiver<Turn>>),
}

impl Pace {
    /// The turn of this number, if it is one.
    fn turn(&self, start: Nanos, number: u64) -> Option<Turn> {
        let rate = self.rate?;
        // From the number, so that roundings do not add up.
        let after = Duration::try_from_secs_f64(to_f64(number) / rate).ok()?;
        (number < self.most && after < self.length).then(|| Turn {
            number,
            at: start + nanos(after),
        })
    }
}

impl Arrivals {
    /// Begins now.
    pub(crate) fn begin(pace: Pace) -> Self {
        let start = clock::now();
        let kind = if pace.rate.is_some() {
            let (sender, receiver) = unbounded_channel();
            // Of its own: timers of the runtime come up to a millisecond late.
            std::thread::spawn(move || keep_pace(pace, start, &sender));
            Kind::Open(Mutex::new(receiver))
        } else {
            Kind::Closed(Cell::new(0))
        };
        Self { pace, start, kind }
    }

    /// The next turn, when it has come; `None` when it is over.
    pub(crate) async fn next(&self) -> Option<Turn> {
        match &self.kind {
            Kind::Open(turns) => turns.lock().await.recv().await,
            Kind::Closed(next) => {
                let (number, at) = (next.get(), clock::now());
                let is_due =
                    number < self.pace.most && clock::between(self.start, at) < self.pace.length;
                is_due.then(|| {
                    next.set(number + 1);
                    Turn { number, at }
                })
            }
        }
    }
}

fn keep_pace(pace: Pace, start: Nanos, turns: &UnboundedSender<Turn>) {
    for number in 0.. {
        let Some(turn) = pace.turn(start, number) else {
            return;
        };
        std::thread::sleep(clock::between(clock::now(), turn.at));
        if turns.send(turn).is_err() {
            return;
        }
    }
}

fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
pub(crate) const fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    fn pace(rate: Option<f64>, seconds: u64, most: u64) -> Pace {
        Pace {
            rate,
            length: Duration::from_secs(seconds),
            most,
        }
    }

    #[test]
    fn turns_are_evenly_spaced_and_end_with_the_time_or_the_count() {
        let at = |pace: Pace, number| pace.turn(7, number).map(|turn| turn.at - 7);
        let by_time = pace(Some(4.0), 2, u64::MAX);
        assert_eq!(at(by_time, 0), Some(0));
        assert_eq!(at(by_time, 1), Some(SECOND / 4));
        assert_eq!(at(by_time, 7), Some(7 * SECOND / 4));
        assert_eq!(at(by_time, 8), None);
        let by_count = pace(Some(3.0), 3600, 3);
        assert_eq!(at(by_count, 2), Some(666_666_667));
        assert_eq!(at(by_count, 3), None);
    }

    #[test]
    fn many_turns_do_not_drift() {
        let turn = pace(Some(30.0), 1_000_000, u64::MAX).turn(0, 30 * 3600);
        assert_eq!(turn.map(|turn| turn.at), Some(3600 * SECOND));
    }

    #[tokio::test]
    async fn those_that_were_late_keep_the_time_at_which_they_should_have_been() {
        let arrivals = Arrivals::begin(pace(Some(10_000.0), 60, 100));
        let mut turns = Vec::new();
        while let Some(turn) = arrivals.next().await {
            assert!(turn.at <= clock::now());
            turns.push(turn);
        }
        let start = arrivals.start;
        let expected = (0..100).map(|number| Turn {
            number,
            at: start + number * SECOND / 10_000,
        });
        assert_eq!(turns, expected.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_closed_loop_ends_with_the_count() {
        let arrivals = Arrivals::begin(pace(None, 3600, 2));
        assert_eq!(arrivals.next().await.map(|turn| turn.number), Some(0));
        assert_eq!(arrivals.next().await.map(|turn| turn.number), Some(1));
        assert_eq!(arrivals.next().await, None);
    }
}

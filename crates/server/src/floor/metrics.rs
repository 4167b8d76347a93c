//! What a restaurateur asks: how many covers, how long they wait, how long they sit.
//!
//! Read off the events that were just committed, so that every way to seat a party counts, and
//! none counts twice. There is no label for the restaurant: an installation has too many of them.

use chrono::{DateTime, Utc};
use domain::db::Appended;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry};
use serde::Deserialize;
use wire::floor::guests::GuestStatus;
use wire::live::events::EventKind;

use crate::platform::commits::OnCommit;
use crate::seen::metrics::PREFIX;

/// Upper bounds in seconds, from one minute to four hours.
const MINUTES: [f64; 12] = [
    60.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 2700.0, 3600.0, 5400.0, 7200.0, 10_800.0, 14_400.0,
];

/// Parties of all restaurants that this worker seated and let go.
pub struct Parties {
    seated: IntCounter,
    covers: IntCounter,
    wait: Histogram,
    turn: Histogram,
    ended: IntCounterVec,
}

/// The part of a party's frame that matters here.
#[derive(Deserialize)]
struct Frame {
    timestamp: DateTime<Utc>,
    data: Party,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Party {
    status: GuestStatus,
    party_size: u64,
    check_in_time: DateTime<Utc>,
    seated_time: Option<DateTime<Utc>>,
    finished_time: Option<DateTime<Utc>>,
}

impl Parties {
    /// All at nought.
    ///
    /// # Errors
    /// When a metric of this name is there already.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::with_opts(Opts::new(name, help).namespace(PREFIX))?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let minutes = |name: &str, help: &str| {
            let opts = HistogramOpts::new(name, help).namespace(PREFIX);
            let histogram = Histogram::with_opts(opts.buckets(MINUTES.to_vec()))?;
            registry.register(Box::new(histogram.clone()))?;
            Ok::<_, prometheus::Error>(histogram)
        };
        let ended = IntCounterVec::new(
            Opts::new("parties_ended_total", "Parties that left, by how.").namespace(PREFIX),
            &["status"],
        )?;
        registry.register(Box::new(ended.clone()))?;
        for status in GuestStatus::ALL
            .iter()
            .filter(|status| status.is_finished())
        {
            ended.with_label_values(&[status.as_str()]).inc_by(0);
        }
        Ok(Self {
            seated: counter("parties_seated_total", "Parties that were seated.")?,
            covers: counter(
                "covers_seated_total",
                "Guests of the parties that were seated.",
            )?,
            wait: minutes("party_wait_seconds", "From a party's arrival to its table.")?,
            turn: minutes(
                "party_turn_seconds",
                "From a party's seating to its leaving.",
            )?,
            ended,
        })
    }

    /// Counts what an event says, if it is about a party that sat down or left just now.
    fn observe(&self, kind: EventKind, frame: &str) {
        if !matches!(kind, EventKind::GuestCreated | EventKind::GuestUpdated) {
            return;
        }
        let Ok(Frame { timestamp, data }) = serde_json::from_str(frame) else {
            return;
        };
        // Frames have microseconds, and what has not been read back may have more.
        let is_now = |time: DateTime<Utc>| time.timestamp_micros() == timestamp.timestamp_micros();
        if data.status == GuestStatus::Seated
            && let Some(seated) = data.seated_time.filter(|time| is_now(*time))
        {
            self.seated.inc();
            self.covers.inc_by(data.party_size);
            self.wait.observe(seconds(data.check_in_time, seated));
        }
        if let Some(finished) = data.finished_time.filter(|time| is_now(*time)) {
            self.ended.with_label_values(&[data.status.as_str()]).inc();
            if data.status == GuestStatus::Completed
                && let Some(seated) = data.seated_time
            {
                self.turn.observe(seconds(seated, finished));
            }
        }
    }
}

impl OnCommit for Parties {
    fn committed(&self, appended: &Appended) {
        for event in &appended.events {
            self.observe(event.kind, &event.frame);
        }
    }
}

/// Never negative: arrivals are sometimes written down with a time of the client's.
fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(time: &str, status: &str, seated: Option<&str>, finished: Option<&str>) -> String {
        serde_json::json!({
            "type": "guest_updated", "seq": 7, "timestamp": time,
            "data": {
                "status": status, "partySize": 4, "checkInTime": "2026-11-21T18:00:00Z",
                "seatedTime": seated, "finishedTime": finished,
            },
        })
        .to_string()
    }

    #[test]
    fn each_party_is_counted_when_it_sits_down_and_when_it_leaves() {
        let parties = Parties::new(&Registry::new()).unwrap();
        let (seated, left) = ("2026-11-21T18:10:00.000001Z", "2026-11-21T19:40:00Z");
        let later = "2026-11-21T18:20:00Z";
        let see = |frame: String| parties.observe(EventKind::GuestUpdated, &frame);
        see(frame("2026-11-21T18:00:00Z", "waiting", None, None));
        see(frame(
            seated,
            "seated",
            Some("2026-11-21T18:10:00.000001999Z"),
            None,
        ));
        // Another table, or a note: it sits already.
        see(frame(later, "seated", Some(seated), None));
        see(frame(left, "completed", Some(seated), Some(left)));
        // A party that gives up did not sit.
        see(frame(left, "cancelled", None, Some(left)));
        assert_eq!((parties.seated.get(), parties.covers.get()), (1, 4));
        let (wait, turn) = (&parties.wait, &parties.turn);
        assert_eq!((wait.get_sample_count(), turn.get_sample_count()), (1, 1));
        assert!((wait.get_sample_sum() - 600.0).abs() < 0.01);
        assert!((turn.get_sample_sum() - 5400.0).abs() < 0.01);
        let ended = |status| parties.ended.with_label_values(&[status]).get();
        assert_eq!(
            [ended("completed"), ended("cancelled"), ended("no_show")],
            [1, 1, 0]
        );
    }

    #[test]
    fn other_events_count_nothing() {
        let parties = Parties::new(&Registry::new()).unwrap();
        parties.observe(EventKind::TableUpdated, "{}");
        parties.observe(EventKind::GuestDeleted, r#"{"data":{"id":"x"}}"#);
        parties.observe(EventKind::GuestUpdated, "nonsense");
        assert_eq!(parties.seated.get(), 0);
    }
}

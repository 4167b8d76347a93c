//! Erasing people: one after the other, in a restaurant whose log and audit tell of many. What is told
//! is how long a manager waits for it.

use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;
use wire::privacy::Erasure;
use wire::together::atomic::AtomicDone;

use super::args::Common;

use super::report::{Operation, Report};
use super::restaurant::House;
use crate::latency::Latency;

/// Changes in one transaction: the most that is taken.
const TOGETHER: usize = 100;

/// How many people the log tells of.
const PARTIES: usize = 200;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Events in the log, in each of which is somebody's number and address.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) events: usize,
    /// How many people are erased.
    #[arg(long, default_value_t = 10)]
    pub(crate) people: usize,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    let common = Common {
        register: true,
        ..args.common.clone()
    };
    let started = Instant::now();
    let house = House::open(&common, 0).await?;
    let path = house.api.path("/atomic");
    let parties: Vec<Uuid> = (0..PARTIES).map(|_| Uuid::now_v7()).collect();
    for first in (0..args.events.max(PARTIES)).step_by(TOGETHER) {
        let some = first..first + TOGETHER;
        let operations: Vec<Value> = some.map(|event| change(&parties, event)).collect();
        let body = json!({"transactionId": Uuid::now_v7(), "operations": operations});
        let reply = house.api.post(&path, &body).await?;
        reply.expect::<AtomicDone>()?;
    }
    let mut latency = Latency::new()?;
    let path = house.api.path("/privacy/erase");
    for number in people(args.people) {
        let body = json!({"phone": phone(number)});
        let asked = Instant::now();
        let reply = house.api.post(&path, &body).await?;
        latency.record(asked.elapsed());
        let erased: Erasure = reply.expect()?;
        anyhow::ensure!(erased.entity_ids.len() == 1, "nobody was found: {erased:?}");
    }
    let mut report = Report::new("erase");
    report.seconds = started.elapsed().as_secs_f64();
    report.operations.push(Operation {
        name: "a person, erased",
        conflicts: 0,
        latency: latency.summary(),
    });
    Ok(report)
}

/// Who is erased: so many, spread over all.
fn people(wanted: usize) -> impl Iterator<Item = usize> {
    let wanted = wanted.clamp(1, PARTIES);
    (0..PARTIES).step_by(PARTIES / wanted).take(wanted)
}

fn phone(number: usize) -> String {
    format!("+49 30 {number:07}")
}

/// First everybody comes, and then each is noted again and again; the event of each change has all
/// that is known of the party.
fn change(parties: &[Uuid], event: usize) -> Value {
    let number = event % PARTIES;
    let id = parties.get(number);
    if event < PARTIES {
        let data = json!({
            "guestName": format!("Party {number}"),
            "partySize": 1 + number % 6,
            "phone": phone(number),
            "email": format!("party-{number}@example.com"),
        });
        return json!({"op": "create", "entity": "guest", "id": id, "data": data});
    }
    let data = json!({"notes": format!("note {event}")});
    json!({"op": "update", "entity": "guest", "id": id, "data": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_comes_and_is_changed_and_some_are_erased() {
        let some: Vec<usize> = people(10).collect();
        assert_eq!((some.len(), some[0], some[9]), (10, 0, 180));
        assert_eq!(people(1000).count(), PARTIES);
        let parties: Vec<Uuid> = (0..PARTIES).map(|_| Uuid::now_v7()).collect();
        let (first, second) = (change(&parties, 7), change(&parties, PARTIES + 7));
        assert_eq!(
            (&first["op"], &second["op"]),
            (&json!("create"), &json!("update"))
        );
        assert_eq!(first["id"], second["id"]);
        assert_ne!(first["id"], change(&parties, 8)["id"]);
    }
}

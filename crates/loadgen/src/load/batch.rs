//! The longest work that one request may ask for: a list that is put into another order, parties
//! that come together, and an evening that was done offline. Each once per restaurant, one after
//! the other, so that what is told is how long somebody waits for it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;
use wire::together::atomic::AtomicDone;
use wire::together::batch::BatchDone;
use wire::together::sync::SyncDone;

use super::args::Common;
use super::report::{Operation, Report};
use super::restaurant::House;
use crate::latency::Latency;

/// How much each request asks for: the most that is taken.
const MOVES: usize = 500;
const TOGETHER: usize = 100;
const OFFLINE: usize = 1000;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    /// In how many restaurants, each made for it.
    #[arg(long, default_value_t = 5)]
    pub(crate) restaurants: usize,
    /// Parties that wait in each before anything is measured.
    #[arg(long, default_value_t = 300)]
    pub(crate) line: usize,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    let houses = Common {
        register: true,
        ..args.common.clone()
    };
    let started = Instant::now();
    let [mut moves, mut together, mut offline] =
        [Latency::new()?, Latency::new()?, Latency::new()?];
    for _ in 0..args.restaurants {
        let house = House::open(&houses, args.line).await?;
        for number in 0..40 {
            let table = json!({"tableNumber": format!("{number}"), "capacity": 2 + number % 5});
            house.api.post(&house.api.path("/tables"), &table).await?;
        }
        moves.record(timed(&house, "/batch-update", &reordered(&house)).await?);
        together.record(timed(&house, "/atomic", &arrivals()).await?);
        offline.record(timed(&house, "/sync/batch", &evening()).await?);
    }
    let mut report = Report::new("batch");
    report.seconds = started.elapsed().as_secs_f64();
    for (name, latency) in [
        ("500 moves on the waiting list", moves),
        ("100 parties in one transaction", together),
        ("1,000 parties taken down offline", offline),
    ] {
        report.operations.push(Operation {
            name,
            conflicts: 0,
            latency: latency.summary(),
        });
    }
    Ok(report)
}

/// How long a request takes, of which everything is done.
async fn timed(house: &House, path: &str, body: &Value) -> anyhow::Result<Duration> {
    let path = house.api.path(path);
    let started = Instant::now();
    let reply = house.api.post(&path, body).await?;
    let took = started.elapsed();
    let done = match path.rsplit('/').next() {
        Some("batch-update") => reply.expect::<BatchDone>()?.guests.len(),
        Some("atomic") => reply.expect::<AtomicDone>()?.results.len(),
        _ => reply.expect::<SyncDone>()?.results.len(),
    };
    anyhow::ensure!(done > 0, "nothing was done at {path}");
    Ok(took)
}

fn reordered(house: &House) -> Value {
    let ids = house.guests.iter().cycle().take(MOVES);
    let count = house.guests.len().max(1);
    let guests: Vec<Value> = ids
        .enumerate()
        .map(|(number, id)| json!({"id": id, "waitPosition": number * 31 % count + 1}))
        .collect();
    json!({"guests": guests})
}

fn arrivals() -> Value {
    let operations: Vec<Value> = (0..TOGETHER).map(arrival).collect();
    json!({"transactionId": Uuid::now_v7(), "operations": operations})
}

fn evening() -> Value {
    let operation = |number: usize| {
        let mut operation = arrival(number);
        if let Some(fields) = operation.as_object_mut() {
            fields.insert("clientId".to_owned(), json!(Uuid::now_v7()));
            fields.insert("id".to_owned(), json!(Uuid::now_v7()));
        }
        operation
    };
    let operations: Vec<Value> = (0..OFFLINE).map(operation).collect();
    json!({"operations": operations})
}

fn arrival(number: usize) -> Value {
    let data = json!({
        "guestName": format!("Party {number}"),
        "partySize": 1 + number % 6,
        "phone": format!("+49 30 {number:06}"),
    });
    json!({"op": "create", "entity": "guest", "data": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evening_is_of_parties_that_are_told_apart() {
        let evening = evening();
        let operations = evening["operations"].as_array().unwrap();
        assert_eq!(operations.len(), OFFLINE);
        assert_ne!(operations[0]["clientId"], operations[1]["clientId"]);
        assert_eq!(operations[999]["data"]["guestName"], "Party 999");
        assert_eq!(arrivals()["operations"].as_array().unwrap().len(), TOGETHER);
    }
}

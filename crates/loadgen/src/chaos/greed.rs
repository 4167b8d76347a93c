//! One greedy house beside others, before anything else goes wrong: batches of 500 moves of its
//! waiting list, a dozen devices that write as fast as they are answered, and heavy reads. What the
//! others notice of it is measured against what they notice of nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use wire::together::atomic::AtomicDone;

use super::faults::{Harm, patiently};
use super::ledger::{Accounts, Ledger};
use super::lock;
use super::writers::{self, Writer};
use crate::follower::Phase;
use crate::http::{Api, Reply};
use crate::judge::Truth;
use crate::latency::{Latency, Summary};
use crate::log;

/// The greedy house, and those beside it.
const HOUSES: usize = 3;

/// Devices of the greedy house that write one change after the other.
const WRITERS: usize = 12;

/// Parties in its line, and how many moves of them a batch has.
const PARTIES: usize = 40;
const MOVES: usize = 500;

/// How many send such batches, and how many read.
const MOVERS: usize = 2;
const READERS: usize = 6;

/// What is heavy to read, beside all that the log has.
const HEAVY: [&str; 2] = ["/sync/full", "/audit?limit=200"];

/// Between two changes, or two reads, of one device of the others.
const PACE: Duration = Duration::from_millis(40);

/// How long writers may take to their last answer.
const LAST_ANSWERS: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Greed {
    /// How long the others waited for their answers while the house was quiet.
    alone: Summary,
    /// The same while it was greedy.
    beside: Summary,
    /// Answers to the others that were none, by status; 0 for none at all.
    refused: BTreeMap<u16, u64>,
    /// Changes of the greedy house that were made, one by one.
    done: usize,
    /// Batches of moves and heavy reads of it that were answered.
    answered: u64,
    /// What it was answered beside that, by status; 0 for nothing at all.
    told: BTreeMap<u16, u64>,
    /// All writes of all houses, held against their logs.
    writes: Accounts,
}

/// How often the greedy house was answered what, batches and heavy reads alone.
type Told = Arc<Mutex<BTreeMap<u16, u64>>>;

/// What was seen in one stretch of time.
#[derive(Default)]
struct Seen {
    ledgers: Vec<Ledger>,
    reads: Vec<Reads>,
}

/// What one device read.
struct Reads {
    latency: Latency,
    refused: BTreeMap<u16, u64>,
}

struct House {
    api: Api,
    tables: Vec<Uuid>,
}

/// Lets the others work for so long alone, and as long beside the greedy house.
///
/// # Errors
/// When the houses cannot be made, or the logs not be read.
pub(crate) async fn measure(harm: &Harm, seed: u64, each: Duration) -> anyhow::Result<Greed> {
    let mut random = StdRng::seed_from_u64(seed ^ 0x6EED);
    let houses = houses(harm, &mut random).await?;
    let (greedy, others) = houses.split_first().context("houses")?;
    let line = line(&greedy.api, &mut random).await?;

    let (mut greed, told) = (JoinSet::new(), Told::default());
    let alone = stretch(harm, &mut random, others, &[], &mut greed, each).await?;
    for number in 0..MOVERS {
        greed.spawn(moves(
            greedy.api.another()?,
            line.clone(),
            number,
            Arc::clone(&told),
        ));
    }
    let epoch = log::head(&greedy.api).await?.epoch;
    let delta = format!("/sync/delta?since=0&epoch={epoch}&limit=1000");
    let paths = HEAVY.into_iter().chain([delta.as_str()]).cycle();
    for path in paths.take(READERS) {
        greed.spawn(heavy_reads(
            greedy.api.another()?,
            greedy.api.path(path),
            Arc::clone(&told),
        ));
    }
    let writing: Vec<&House> = vec![greedy; WRITERS];
    let beside = stretch(harm, &mut random, others, &writing, &mut greed, each).await?;

    let mut truth = Truth::default();
    for house in &houses {
        let log = patiently(async || log::read(&house.api).await).await?;
        truth.add(house.api.account.restaurant, log);
    }
    let told = std::mem::take(&mut *lock(&told));
    summed(greedy, alone, beside, told, &truth)
}

async fn houses(harm: &Harm, random: &mut StdRng) -> anyhow::Result<Vec<House>> {
    let base = harm.base();
    let made = (0..HOUSES).map(async |number| {
        let email = format!("neighbour{number}@example.com");
        patiently(async || Api::register(&base, &email, "Next Door").await).await
    });
    let mut houses = Vec::new();
    for api in try_join_all(made).await? {
        let tables = writers::furnish(&api, random.random()).await?;
        houses.push(House { api, tables });
    }
    Ok(houses)
}

/// Puts parties into the line.
async fn line(api: &Api, random: &mut StdRng) -> anyhow::Result<Vec<Uuid>> {
    let line: Vec<Uuid> = (0..PARTIES).map(|_| writers::uuid_at(random, 0)).collect();
    let operations: Vec<Value> = line
        .iter()
        .map(|id| {
            let data = json!({"guestName": format!("In line, {id}"), "partySize": 2});
            json!({"op": "create", "entity": "guest", "id": id, "data": data})
        })
        .collect();
    let body = json!({"transactionId": writers::uuid_at(random, 0), "operations": operations});
    let path = api.path("/atomic");
    api.post(&path, &body).await?.expect::<AtomicDone>()?;
    Ok(line)
}

/// Moves everybody in the line, again and again, until it is ended.
async fn moves(api: Api, line: Vec<Uuid>, number: usize, told: Told) {
    let places = (1..=PARTIES).rev().cycle().skip(number);
    let guests: Vec<Value> = (0..MOVES)
        .zip(line.iter().cycle())
        .zip(places)
        .map(|((_, id), place)| json!({"id": id, "waitPosition": place}))
        .collect();
    let (path, body) = (api.path("/batch-update"), json!({"guests": guests}));
    loop {
        note(&told, api.post(&path, &body).await).await;
    }
}

async fn heavy_reads(api: Api, path: String, told: Told) {
    loop {
        note(&told, api.get(&path).await).await;
    }
}

/// Notes an answer. Who is greedy asks again at once, whatever it is; only a connection that is
/// refused must not be tried in a busy loop.
async fn note(told: &Told, answer: anyhow::Result<Reply>) {
    let status = answer.as_ref().map_or(0, |reply| reply.status.as_u16());
    *lock(told).entry(status).or_default() += 1;
    if status == 0 {
        sleep(PACE).await;
    }
}

/// Everybody works for so long. Then `greed` ends, whatever it was at, so that all writers get their
/// last answers.
async fn stretch(
    harm: &Harm,
    random: &mut StdRng,
    others: &[House],
    writing: &[&House],
    greed: &mut JoinSet<()>,
    length: Duration,
) -> anyhow::Result<Seen> {
    let (phase, phases) = watch::channel(Phase::Storm);
    let mut writers = JoinSet::new();
    let with_pace = others.iter().map(|house| (house, PACE));
    // As fast as it is answered.
    let greedy = writing.iter().map(|house| (*house, Duration::ZERO));
    for (number, (house, pause)) in with_pace.chain(greedy).enumerate() {
        let name = format!("Party of neighbour {number} {}", random.random::<u32>());
        let (api, seed, tables) = (house.api.another()?, random.random(), house.tables.clone());
        let skew = Arc::clone(&harm.skew);
        let writer = Writer::new(name, api, seed, tables, pause, skew, phases.clone())?;
        writers.spawn(writer.run());
    }
    let readers = others.iter().map(|house| read(&house.api, length));
    let reads = join_all(readers)
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    greed.shutdown().await;
    phase.send_replace(Phase::Settle(std::collections::HashMap::new()));
    let mut seen = Seen {
        ledgers: Vec::new(),
        reads,
    };
    let ended = timeout(LAST_ANSWERS, collect(&mut writers, &mut seen.ledgers)).await;
    if ended.is_err() {
        phase.send_replace(Phase::Over);
        collect(&mut writers, &mut seen.ledgers).await?;
    }
    Ok(seen)
}

async fn collect(writers: &mut JoinSet<Ledger>, into: &mut Vec<Ledger>) -> anyhow::Result<()> {
    while let Some(ledger) = writers.join_next().await {
        into.push(ledger?);
    }
    Ok(())
}

/// Reads a list again and again.
async fn read(api: &Api, length: Duration) -> anyhow::Result<Reads> {
    let path = api.path("/guests");
    let mut reads = Reads {
        latency: Latency::new()?,
        refused: BTreeMap::new(),
    };
    let began = Instant::now();
    while began.elapsed() < length {
        let asked = Instant::now();
        let status = match api.get(&path).await {
            Ok(reply) => reply.status.as_u16(),
            Err(_) => 0,
        };
        reads.latency.record(asked.elapsed());
        if status != 200 {
            *reads.refused.entry(status).or_default() += 1;
        }
        sleep(PACE).await;
    }
    Ok(reads)
}

fn summed(
    greedy: &House,
    alone: Seen,
    beside: Seen,
    mut told: BTreeMap<u16, u64>,
    truth: &Truth,
) -> anyhow::Result<Greed> {
    let greedy = greedy.api.account.restaurant;
    let mut refused = BTreeMap::new();
    let mut waited = |seen: &Seen| {
        let mut latency = Latency::new()?;
        for ledger in seen.ledgers.iter().filter(|one| one.restaurant != greedy) {
            latency.add(&ledger.latency)?;
            add(&mut refused, &ledger.refusals());
        }
        for reads in &seen.reads {
            latency.add(&reads.latency)?;
            add(&mut refused, &reads.refused);
        }
        anyhow::Ok(latency.summary())
    };
    let (alone_waited, beside_waited) = (waited(&alone)?, waited(&beside)?);
    let answered = told.remove(&200).unwrap_or(0);
    let mut done = 0;
    for ledger in beside.ledgers.iter().filter(|one| one.restaurant == greedy) {
        done += ledger.entries.len();
        add(&mut told, &ledger.refusals());
    }
    let ledgers: Vec<Ledger> = alone.ledgers.into_iter().chain(beside.ledgers).collect();
    let mut writes = Accounts::default();
    writes.audit(&ledgers, truth);
    Ok(Greed {
        alone: alone_waited,
        beside: beside_waited,
        refused,
        done,
        answered,
        told,
        writes,
    })
}

fn add(into: &mut BTreeMap<u16, u64>, more: &BTreeMap<u16, u64>) {
    for (status, count) in more {
        *into.entry(*status).or_default() += count;
    }
}

impl Greed {
    /// Whether nobody was refused anything because of a neighbour, and nothing was lost. How long
    /// the others waited is told, and fails nothing: the machine may have others to serve, too.
    pub(crate) fn is_clean(&self) -> bool {
        self.refused.is_empty() && self.writes.is_clean()
    }

    /// What was found, in words.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &String> {
        self.writes.findings.iter()
    }

    /// For the table: what, and how much.
    pub(crate) fn lines(&self) -> [(&'static str, String); 6] {
        let waited = |one: &Summary| {
            format!(
                "{:.1} / {:.0} / {:.0} ms of {}",
                one.p50_ms, one.p99_ms, one.max_ms, one.count
            )
        };
        let counts = |counts: &BTreeMap<u16, u64>| {
            let counts = counts.iter().map(|(status, count)| match status {
                0 => format!("{count} without an answer"),
                _ => format!("{count} × {status}"),
            });
            let counts: Vec<_> = counts.collect();
            if counts.is_empty() {
                "none".to_owned()
            } else {
                counts.join(", ")
            }
        };
        [
            ("others alone, p50 / p99 / longest", waited(&self.alone)),
            (
                "others beside a greedy house",
                format!("{}, p99 × {:.1}", waited(&self.beside), self.factor()),
            ),
            ("others refused", counts(&self.refused)),
            ("changes of the greedy house", self.done.to_string()),
            ("its batches and heavy reads", self.answered.to_string()),
            ("the greedy house refused", counts(&self.told)),
        ]
    }

    fn factor(&self) -> f64 {
        self.beside.p99_ms / self.alone.p99_ms.max(0.001)
    }
}

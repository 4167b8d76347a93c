//! Those who change things: parties come, are seated, and go. Every change is a transaction with an
//! id of its own, sent until there is an answer that says what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::{Builder, Uuid};
use wire::ErrorBody;
use wire::floor::guests::GuestStatus;
use wire::together::atomic::AtomicDone;

use super::ledger::{Entry, Ledger, Outcome};
use crate::follower::Phase;
use crate::http::{Api, Reply};
use crate::log;
use crate::table_setup;

/// How many tables a restaurant has.
const TABLES: u64 = 30;

/// How far the clients' clocks are off, in milliseconds.
pub(crate) type Skew = Arc<AtomicI64>;

/// Somebody who changes things.
pub(crate) struct Writer {
    api: Api,
    random: StdRng,
    skew: Skew,
    phase: watch::Receiver<Phase>,
    tables: Vec<Uuid>,
    /// Who it is: the parties that it takes care of are named after it.
    name: String,
    /// The parties that are here, and whether they sit.
    parties: Vec<(Uuid, bool)>,
    /// Between two changes, on average.
    pause: Duration,
    ledger: Ledger,
}

/// What a change would do to the writer's picture of the floor.
enum Change {
    Arrives(Uuid),
    Sits(usize),
    Leaves(usize),
    Other,
}

impl Writer {
    pub(crate) fn new(
        name: String,
        api: Api,
        seed: u64,
        tables: Vec<Uuid>,
        pause: Duration,
        skew: Skew,
        phase: watch::Receiver<Phase>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            ledger: Ledger::new(api.account.restaurant)?,
            api,
            random: StdRng::seed_from_u64(seed),
            skew,
            phase,
            tables,
            name,
            parties: Vec::new(),
            pause,
        })
    }

    /// Writes until the storm is over, and returns what was answered.
    pub(crate) async fn run(mut self) -> Ledger {
        while matches!(&*self.phase.borrow(), Phase::Storm) {
            let (change, operations) = self.choose();
            let transaction = self.id();
            let body = json!({"transactionId": transaction, "operations": operations});
            let outcome = self.insist(&body).await;
            if outcome.says_gone() {
                // The database was rewound, and the parties with it: look again who is here.
                self.look_again().await;
            } else {
                self.follow(&change, &outcome);
            }
            self.ledger.entries.push(Entry {
                transaction,
                outcome,
            });
            let pause = self.pause.mul_f64(self.random.random_range(0.2..1.8));
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.phase.changed() => {}
            }
        }
        self.ledger
    }

    /// An id as a device makes it, by its own clock.
    fn id(&mut self) -> Uuid {
        uuid_at(&mut self.random, self.skew.load(Ordering::Relaxed))
    }

    fn choose(&mut self) -> (Change, Vec<Value>) {
        let note = format!("note {}", self.random.random::<u64>());
        let choice = self.random.random_range(0..100);
        if self.parties.is_empty() || (choice < 30 && self.parties.len() < 8) {
            let id = self.id();
            let data = json!({
                "guestName": format!("{}, {id}", self.name),
                "partySize": self.random.random_range(1..=4),
                "notes": note,
            });
            let create = json!({"op": "create", "entity": "guest", "id": id, "data": data});
            return (Change::Arrives(id), vec![create]);
        }
        let index = self.random.random_range(0..self.parties.len());
        let Some(&(id, sits)) = self.parties.get(index) else {
            return (Change::Other, Vec::new());
        };
        let update =
            |data: Value| json!({"op": "update", "entity": "guest", "id": id, "data": data});
        let table = *self.tables.choose(&mut self.random).unwrap_or(&id);
        match choice {
            30..45 => (Change::Other, vec![update(json!({"notes": note}))]),
            45..55 => {
                let position = json!({
                    "x": f64::from(self.random.random_range(0..1_000_000)) / 1e6,
                    "y": f64::from(self.random.random_range(0..1_000_000)) / 1e6,
                });
                let moved = json!({
                    "op": "update", "entity": "table", "id": table, "data": {"position": position},
                });
                (Change::Other, vec![update(json!({"notes": note})), moved])
            }
            _ if sits => {
                let data = json!({"status": "completed", "notes": note});
                (Change::Leaves(index), vec![update(data)])
            }
            _ => {
                let data = json!({"status": "seated", "tableId": table, "notes": note});
                (Change::Sits(index), vec![update(data)])
            }
        }
    }

    /// Sends a transaction until there is an answer that is one.
    async fn insist(&mut self, body: &Value) -> Outcome {
        let path = self.api.path("/atomic");
        let mut tries = 0_u32;
        loop {
            let asked = Instant::now();
            let answer = self.api.post(&path, body).await;
            let at = Instant::now();
            self.ledger.latency.record(at - asked);
            match answer {
                Ok(reply) => {
                    if let Some(outcome) = self.read(&reply, body, at) {
                        return outcome;
                    }
                }
                Err(_) => self.ledger.unanswered += 1,
            }
            if matches!(&*self.phase.borrow(), Phase::Over) {
                return Outcome::Unknown;
            }
            tries += 1;
            let most = 50 * u64::from(tries.min(8));
            sleep(Duration::from_millis(
                self.random.random_range(most / 2..=most),
            ))
            .await;
        }
    }

    /// What an answer says; `None` when it does not say what became of the transaction.
    fn read(&mut self, reply: &Reply, body: &Value, at: Instant) -> Option<Outcome> {
        let status = reply.status.as_u16();
        match status {
            200 => {
                let done = reply.expect::<AtomicDone>();
                let same = done.is_ok_and(|done| {
                    body.get("transactionId") == Some(&json!(done.transaction_id))
                });
                if !same {
                    self.ledger
                        .complain(format!("answered with another's result: {body}"));
                }
                Some(Outcome::Done {
                    position: reply.position,
                    at,
                })
            }
            429 => {
                self.ledger.limited += 1;
                None
            }
            401 | 408 => None,
            400..500 => {
                let body: Option<ErrorBody> = serde_json::from_slice(&reply.body).ok();
                Some(Outcome::Refused {
                    status,
                    codes: body.map_or_else(Vec::new, |body| {
                        body.items.iter().map(|item| item.code).collect()
                    }),
                })
            }
            _ => {
                *self.ledger.faults.entry(status).or_default() += 1;
                if status != 503 {
                    let text = String::from_utf8_lossy(&reply.body).into_owned();
                    self.ledger
                        .complain(format!("answered with {status}: {text}"));
                } else if !reply.has_retry_after {
                    self.ledger.complain("a 503 without Retry-After".to_owned());
                }
                None
            }
        }
    }

    /// Takes the picture of the floor from the server. Without an answer it is empty, and parties of
    /// before stay where they are.
    async fn look_again(&mut self) {
        let snapshot = log::snapshot(&self.api).await;
        let guests = snapshot.map_or_else(|_| Vec::new(), |snapshot| snapshot.floor.guests);
        let prefix = format!("{}, ", self.name);
        let own = guests
            .iter()
            .filter(|guest| guest.guest_name.starts_with(&prefix));
        self.parties = own
            .filter(|guest| !guest.status.is_finished())
            .map(|guest| (guest.id.into(), guest.status == GuestStatus::Seated))
            .collect();
    }

    /// Keeps the picture of the floor.
    fn follow(&mut self, change: &Change, outcome: &Outcome) {
        match (change, outcome) {
            (Change::Arrives(id), Outcome::Done { .. }) => self.parties.push((*id, false)),
            (Change::Sits(index), Outcome::Done { .. }) => {
                if let Some(party) = self.parties.get_mut(*index) {
                    party.1 = true;
                }
            }
            (Change::Leaves(index), Outcome::Done { .. } | Outcome::Refused { .. }) => {
                self.parties.remove(*index);
            }
            _ => {}
        }
    }
}

/// An id as a device makes it whose clock is off by so much.
pub(crate) fn uuid_at(random: &mut StdRng, skew_ms: i64) -> Uuid {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(now_ms.saturating_add_signed(skew_ms), &random.random())
        .into_uuid()
}

/// Furnishes a restaurant.
pub(crate) async fn furnish(api: &Api, seed: u64) -> anyhow::Result<Vec<Uuid>> {
    let mut random = StdRng::seed_from_u64(seed);
    let tables: Vec<Uuid> = (0..TABLES).map(|_| uuid_at(&mut random, 0)).collect();
    table_setup::furnish(api, uuid_at(&mut random, 0), &tables).await?;
    Ok(tables)
}

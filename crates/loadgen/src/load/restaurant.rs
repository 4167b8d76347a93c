//! A restaurant under load: its account, its parties, and what is asked of it.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::floor::guests::Guest;
use wire::together::atomic::AtomicDone;
use wire::{Position, Seq};

use super::args::Common;
use super::commands::Group;
use crate::http::Api;
use crate::log;

/// What the parties are called that this program brings.
const PARTY: &str = "Load party";

/// A day, so that no party waits too long, which would be an event of its own.
const QUOTED_MINUTES: i32 = 1440;

/// Half of that.
const FRESH_SECONDS: u64 = 12 * 3600;

/// How many operations a transaction takes.
const PER_TRANSACTION: usize = 100;

/// A restaurant.
pub(crate) struct House {
    pub(crate) api: Api,
    pub(crate) token: Arc<str>,
    /// The parties that this program changes.
    pub(crate) guests: Vec<Uuid>,
    authority: String,
    /// A word in all notes of this run, by which its changes are told from those of others.
    run: String,
}

/// Where their logs stand.
///
/// # Errors
/// When one cannot be read.
pub(crate) async fn heads(houses: &[House]) -> anyhow::Result<Vec<Seq>> {
    let mut heads = Vec::new();
    for house in houses {
        heads.push(house.head().await?);
    }
    Ok(heads)
}

impl House {
    /// Logs in, or registers, and makes sure that there are so many parties.
    ///
    /// # Errors
    /// When the server refuses anything of it.
    pub(crate) async fn open(args: &Common, guests: usize) -> anyhow::Result<Self> {
        let base = args.url.first().context("the URL of a worker")?;
        let base = base.trim_end_matches('/');
        let api = if args.register {
            let email = format!("load-{}@example.com", Uuid::now_v7());
            Api::register(base, &email, "Under load").await
        } else {
            Api::login(base, &args.email, &args.password, args.restaurant).await
        };
        let api = api.context("logging in")?;
        let mut house = Self {
            token: api.token(None).await?,
            authority: api.authority().to_owned(),
            api,
            guests: Vec::new(),
            run: format!("run-{:016x}", rand::random::<u64>()),
        };
        house.invite(guests).await.context("bringing parties")?;
        Ok(house)
    }

    /// Several restaurants, each with an account of its own; or the one of the arguments.
    pub(crate) async fn open_all(
        args: &Common,
        restaurants: usize,
        guests: usize,
    ) -> anyhow::Result<Vec<Self>> {
        let args = Common {
            register: args.register || restaurants > 1,
            ..args.clone()
        };
        let mut houses = Vec::new();
        for _ in 0..restaurants.max(1) {
            houses.push(Self::open(&args, guests).await?);
        }
        Ok(houses)
    }

    /// Takes the parties that an earlier run left, and brings those that are missing.
    async fn invite(&mut self, wanted: usize) -> anyhow::Result<()> {
        let path = self
            .api
            .path("/guests?q=Load%20party&status=waiting&limit=1000");
        let here: Vec<Guest> = self.api.get(&path).await?.expect()?;
        let here = here
            .iter()
            .filter(|guest| guest.guest_name.starts_with(PARTY));
        let fresh = here
            .map(|guest| Uuid::from(guest.id))
            .filter(|id| is_fresh(*id));
        self.guests = fresh.take(wanted).collect();
        let missing: Vec<Uuid> = (self.guests.len()..wanted)
            .map(|_| Uuid::now_v7())
            .collect();
        for ids in missing.chunks(PER_TRANSACTION) {
            let operations: Vec<Value> = ids.iter().map(|id| arrival(*id)).collect();
            let body = json!({"transactionId": Uuid::now_v7(), "operations": operations});
            let path = self.api.path("/atomic");
            self.api.post(&path, &body).await?.expect::<AtomicDone>()?;
        }
        self.guests.extend(missing);
        Ok(())
    }

    /// What a session of this restaurant follows.
    pub(crate) fn group(&self) -> Group {
        Group {
            path: format!(
                "/api/v1/realtime?restaurant_id={}",
                self.api.account.restaurant
            ),
            token: Some(self.token.to_string()),
        }
    }

    /// Writes a request with a body, or without one if it is empty.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
        out: &mut Vec<u8>,
    ) {
        let begin = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{headers}",
            self.authority, self.token
        );
        out.extend(begin.as_bytes());
        if !body.is_empty() {
            let length = body.len();
            let content = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
            out.extend(content.as_bytes());
        }
        out.extend(b"\r\n");
        out.extend(body.as_bytes());
    }

    /// Writes the request that changes a party's notes.
    pub(crate) fn note(&self, number: u64, notes: &str, out: &mut Vec<u8>) {
        let count = u64::try_from(self.guests.len()).unwrap_or(1).max(1);
        let index = usize::try_from(number % count).unwrap_or(0);
        let guest = self.guests.get(index).copied().unwrap_or_default();
        let path = self.api.path(&format!("/guests/{guest}"));
        let body = format!("{{\"notes\":\"{notes} {}\"}}", self.run);
        self.request("PUT", &path, "", &body, out);
    }

    /// Where the log stands.
    pub(crate) async fn head(&self) -> anyhow::Result<Seq> {
        Ok(log::head(&self.api).await?.seq)
    }

    /// Compares the answers to writes with the log: each acknowledged change is in it once, and no
    /// other change of this run.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn audit(&self, before: Seq, told: &[Seq]) -> anyhow::Result<Ledger> {
        let head = self.head().await?;
        if is_exact(before, head, told) {
            return Ok(Ledger::default());
        }
        // Others may have written too: look at each.
        Ok(Ledger::compare(told, &self.done_since(before).await?))
    }

    /// This run's changes in the log, after an event.
    async fn done_since(&self, before: Seq) -> anyhow::Result<Vec<Seq>> {
        let Position { epoch, .. } = log::head(&self.api).await?;
        let mut done = Vec::new();
        let since = Position { epoch, seq: before };
        log::each(&self.api, since, |seq, frame| {
            if frame.contains(&self.run) {
                done.push(seq);
            }
            Ok(())
        })
        .await?;
        Ok(done)
    }
}

/// What the log says of the writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Acknowledged, but not in the log.
    pub(crate) lost: u64,
    /// In the log, but not acknowledged.
    pub(crate) duplicated: u64,
}

/// Whether this program brought the party not long ago: none is told of its wait meanwhile.
fn is_fresh(id: Uuid) -> bool {
    let seconds = |id: Uuid| Some(id.get_timestamp()?.to_unix().0);
    let age = seconds(Uuid::now_v7()).zip(seconds(id));
    age.is_some_and(|(now, then)| now.saturating_sub(then) < FRESH_SECONDS)
}

/// Whether there are as many numbers as answers, and each answer is of another number: then nothing
/// else fits in between.
fn is_exact(before: Seq, head: Seq, told: &[Seq]) -> bool {
    let within: HashSet<&Seq> = told
        .iter()
        .filter(|seq| (before + 1..=head).contains(seq))
        .collect();
    within.len() == told.len() && Seq::try_from(told.len()) == Ok(head - before)
}

impl Ledger {
    /// Compares answers with changes that were done.
    fn compare(told: &[Seq], done: &[Seq]) -> Self {
        let (told_once, done): (HashSet<&Seq>, HashSet<&Seq>) =
            (told.iter().collect(), done.iter().collect());
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            // Two answers with one number: one of the two is nowhere.
            lost: count(told.len() - told_once.intersection(&done).count()),
            duplicated: count(done.difference(&told_once).count()),
        }
    }
}

fn arrival(id: Uuid) -> Value {
    let data = json!({
        "guestName": format!("{PARTY} {id}"),
        "partySize": 4,
        "quotedWaitMinutes": QUOTED_MINUTES,
        "notes": "at the window",
    });
    json!({"op": "create", "entity": "guest", "id": id, "data": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_numbers_as_answers_need_no_second_look() {
        assert!(is_exact(10, 13, &[12, 11, 13]));
        assert!(is_exact(10, 10, &[]));
        for (head, told) in [
            (13, &[11, 12][..]),
            (12, &[11, 12, 12]),
            (13, &[11, 12, 12]),
            (12, &[10, 11]),
            (12, &[11, 14]),
            (12, &[0, 11]),
        ] {
            assert!(!is_exact(10, head, told), "{head}: {told:?}");
        }
    }

    #[test]
    fn what_is_lost_and_what_was_done_unasked() {
        let compare = |told: &[Seq], done: &[Seq]| {
            let Ledger { lost, duplicated } = Ledger::compare(told, done);
            (lost, duplicated)
        };
        assert_eq!(compare(&[11, 13], &[11, 13]), (0, 0));
        assert_eq!(compare(&[11, 12, 13], &[11, 13]), (1, 0));
        assert_eq!(compare(&[11, 11], &[11]), (1, 0));
        assert_eq!(compare(&[11, 0], &[11, 12]), (1, 1));
    }

    #[test]
    fn parties_of_long_ago_are_not_taken_again() {
        assert!(is_fresh(Uuid::now_v7()));
        let long_ago = uuid::Timestamp::from_unix(uuid::NoContext, 1_700_000_000, 0);
        assert!(!is_fresh(Uuid::new_v7(long_ago)));
        assert!(!is_fresh(Uuid::new_v4()));
    }
}

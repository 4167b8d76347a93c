//! What is believed of a restaurant's floor, and what a host could wish to do there.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::Seq;

use super::frame_text::Mark;
use super::link::Answer;
use super::mix::{Kind, choose};
use super::requests::is_fine;

/// How many parties there are at most: beyond that, they go elsewhere.
const PARTIES: usize = 40;

/// How many parties a batch changes.
const BATCH: std::ops::RangeInclusive<usize> = 5..=20;

/// One in so many hosts does not look whether the table is free.
const CARELESS: u32 = 20;

/// What is believed of a restaurant.
pub(crate) struct Floor {
    parties: Vec<Party>,
    tables: Vec<Spot>,
    /// The positions of the changes that were acknowledged.
    told: Vec<Seq>,
}

struct Party {
    id: Uuid,
    stage: Stage,
    /// Somebody is changing it.
    is_busy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Notified,
    Seated,
}

struct Spot {
    id: Uuid,
    party: Option<Uuid>,
}

/// A request that can be made.
pub(crate) struct Wish {
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    /// Of the restaurant.
    pub(crate) path: String,
    /// Empty where there is none.
    pub(crate) body: String,
    /// The parties that it changes, and the table at which the first is to sit.
    parties: Vec<Uuid>,
    table: Option<Uuid>,
}

impl Floor {
    /// Nobody is here yet.
    pub(crate) fn new(tables: &[Uuid]) -> Self {
        let spot = |id: &Uuid| Spot {
            id: *id,
            party: None,
        };
        Self {
            parties: Vec::new(),
            tables: tables.iter().map(spot).collect(),
            told: Vec::new(),
        }
    }

    /// Something that can be asked; its parties are busy until the answer is followed.
    pub(crate) fn wish(&mut self, mark: Mark, random: &mut StdRng) -> Wish {
        // What cannot be done now leaves its turn to something else: a list can always be read.
        let wish = loop {
            if let Some(wish) = self.try_wish(choose(random), mark, random) {
                break wish;
            }
        };
        for party in &mut self.parties {
            party.is_busy |= wish.parties.contains(&party.id);
        }
        wish
    }

    /// Something of this kind; none when there is no party or table for it.
    fn try_wish(&self, kind: Kind, mark: Mark, random: &mut StdRng) -> Option<Wish> {
        let notes = mark.text();
        let wish = |method, path: &str, body: Option<Value>| Wish {
            kind,
            method,
            path: path.to_owned(),
            body: body.map_or(String::new(), |body| body.to_string()),
            parties: Vec::new(),
            table: None,
        };
        let change = |party: Uuid, body: Value| Wish {
            parties: vec![party],
            ..wish("PUT", &format!("/guests/{party}"), Some(body))
        };
        Some(match kind {
            Kind::ListGuests => wish("GET", "/guests", None),
            Kind::ListTables => wish("GET", "/tables", None),
            Kind::Dashboard => wish("GET", "/dashboard-data", None),
            Kind::Snapshot => wish("GET", "/sync/full", None),
            Kind::Arrive => {
                let body = json!({
                    "guestName": format!("Party {}", mark.at),
                    "partySize": random.random_range(1..=4),
                    "notes": notes,
                });
                let is_room = self.parties.len() < PARTIES;
                is_room.then(|| wish("POST", "/guests", Some(body)))?
            }
            Kind::Note => change(self.idle(random, |_| true)?, json!({"notes": notes})),
            Kind::Notify => {
                let party = self.idle(random, |stage| stage == Stage::Waiting)?;
                change(party, json!({"status": "notified", "notes": notes}))
            }
            Kind::Seat => {
                let party = self.idle(random, |stage| stage != Stage::Seated)?;
                let table = self.table_to_sit(random)?;
                let body = json!({"status": "seated", "tableId": table, "notes": notes});
                Wish {
                    table: Some(table),
                    ..change(party, body)
                }
            }
            Kind::Finish => {
                let party = self.idle(random, |stage| stage == Stage::Seated)?;
                change(party, json!({"status": "completed", "notes": notes}))
            }
            Kind::Clear => {
                let party = self.idle(random, |stage| stage == Stage::Seated)?;
                let is_its = |spot: &&Spot| spot.party == Some(party);
                let table = self.tables.iter().find(is_its)?.id;
                Wish {
                    parties: vec![party],
                    ..wish("PUT", &format!("/tables/{table}/clear"), None)
                }
            }
            Kind::Move => {
                let table = self.tables.choose(random)?.id;
                let mut place = || f64::from(random.random_range(0..1_000_000)) / 1e6;
                let body = json!({"position": {"x": place(), "y": place()}});
                wish("PUT", &format!("/tables/{table}"), Some(body))
            }
            Kind::Batch => {
                let count = random.random_range(BATCH);
                let idle = self.parties.iter().filter(|party| !party.is_busy);
                let parties = idle.map(|party| party.id).choose_multiple(random, count);
                // Each has a mark of its own.
                let marks = (mark.at..).map(|at| Mark { at, ..mark }.text());
                let guests = parties.iter().zip(marks);
                let guests = guests.map(|(id, notes)| json!({"id": id, "notes": notes}));
                let body = json!({"guests": guests.collect::<Vec<_>>()});
                let is_enough = parties.len() >= *BATCH.start();
                is_enough.then(|| Wish {
                    parties,
                    ..wish("POST", "/batch-update", Some(body))
                })?
            }
        })
    }

    /// A party at such a stage that nobody is changing.
    fn idle(&self, random: &mut StdRng, wanted: impl Fn(Stage) -> bool) -> Option<Uuid> {
        let is_idle = |party: &&Party| !party.is_busy && wanted(party.stage);
        let idle = self.parties.iter().filter(is_idle);
        idle.choose(random).map(|party| party.id)
    }

    fn table_to_sit(&self, random: &mut StdRng) -> Option<Uuid> {
        let is_careless = random.random_ratio(1, CARELESS);
        let will_do = |spot: &&Spot| is_careless || spot.party.is_none();
        let tables = self.tables.iter().filter(will_do);
        tables.choose(random).map(|spot| spot.id)
    }

    /// Keeps up with what became of a wish; without an answer, it is believed undone.
    ///
    /// # Errors
    /// When the answer cannot be read.
    pub(crate) fn follow(
        &mut self,
        wish: &Wish,
        answer: Option<&Answer<'_>>,
    ) -> anyhow::Result<()> {
        #[derive(Deserialize)]
        struct Made {
            id: Uuid,
        }
        for party in &mut self.parties {
            party.is_busy &= !wish.parties.contains(&party.id);
        }
        let Some(answer) = answer.filter(|answer| is_fine(answer.status)) else {
            return Ok(());
        };
        if !wish.kind.is_read() {
            // A change without a position is nowhere in the log.
            let position = answer.position.map_or(0, |position| position.seq);
            self.told.push(position);
        }
        let party = wish.parties.first().copied();
        match wish.kind {
            Kind::Arrive => {
                let Made { id } = serde_json::from_slice(answer.body)?;
                self.parties.push(Party {
                    id,
                    stage: Stage::Waiting,
                    is_busy: false,
                });
            }
            Kind::Notify => self.set(party, Stage::Notified),
            Kind::Seat => {
                self.set(party, Stage::Seated);
                let is_its = |spot: &&mut Spot| Some(spot.id) == wish.table;
                for spot in self.tables.iter_mut().filter(is_its) {
                    spot.party = party;
                }
            }
            Kind::Finish | Kind::Clear => {
                self.parties.retain(|one| Some(one.id) != party);
                for spot in self.tables.iter_mut().filter(|spot| spot.party == party) {
                    spot.party = None;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, party: Option<Uuid>, stage: Stage) {
        for one in self.parties.iter_mut().filter(|one| Some(one.id) == party) {
            one.stage = stage;
        }
    }

    /// How many acknowledged changes have no place of their own in a log that ends there.
    pub(crate) fn homeless(&self, head: Seq) -> usize {
        let is_there = |seq: &Seq| (1..=head).contains(seq);
        let mut there: Vec<Seq> = self.told.iter().copied().filter(is_there).collect();
        there.sort_unstable();
        there.dedup();
        self.told.len() - there.len()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use wire::Position;

    use super::super::mix::MIX;
    use super::*;

    const TABLES: u128 = 3;

    fn answer(status: u16, seq: Seq, body: &str) -> Answer<'_> {
        let epoch = wire::Epoch(Uuid::nil());
        Answer {
            status,
            position: Some(Position { epoch, seq }),
            etag: None,
            body: body.as_bytes(),
        }
    }

    /// An evening at a small house where everything is done that is asked.
    fn evening(seed: u64, mut each: impl FnMut(&Floor, &Wish)) -> Floor {
        let tables: Vec<Uuid> = (1..=TABLES).map(Uuid::from_u128).collect();
        let (mut floor, mut random) = (Floor::new(&tables), StdRng::seed_from_u64(seed));
        for number in 1..=2000 {
            let (at, worker) = (number, 0);
            let wish = floor.wish(Mark { at, worker }, &mut random);
            each(&floor, &wish);
            let id = Uuid::from_u128(1000 + u128::from(number));
            let body = format!("{{\"id\":\"{id}\"}}");
            let seq = Seq::try_from(number).unwrap();
            floor.follow(&wish, Some(&answer(200, seq, &body))).unwrap();
        }
        floor
    }

    #[test]
    fn an_evening_has_everything_in_it_and_is_the_same_with_the_same_seed() {
        let mut kinds = std::collections::HashSet::new();
        let mut first = Vec::new();
        let floor = evening(7, |floor, wish| {
            kinds.insert(wish.kind);
            first.push((wish.path.clone(), wish.body.clone()));
            assert!(floor.parties.len() <= PARTIES);
            let seated = |one: &&Party| one.stage == Stage::Seated;
            assert!(floor.parties.iter().filter(seated).count() >= floor.taken());
        });
        assert_eq!(kinds.len(), MIX.len());
        assert_eq!(floor.homeless(2000), 0);
        let mut second = Vec::new();
        evening(7, |_, wish| {
            second.push((wish.path.clone(), wish.body.clone()))
        });
        assert!(first == second);
    }

    #[test]
    fn nobody_changes_a_party_that_is_being_changed() {
        let (mut floor, mut random) = (Floor::new(&[]), StdRng::seed_from_u64(1));
        floor.parties = (0..PARTIES as u128)
            .map(|number| Party {
                id: Uuid::from_u128(number),
                stage: Stage::Waiting,
                is_busy: false,
            })
            .collect();
        let mut busy = Vec::new();
        for at in 0..200 {
            let wish = floor.wish(Mark { at, worker: 0 }, &mut random);
            assert!(wish.parties.iter().all(|party| !busy.contains(party)));
            busy.extend(wish.parties.iter().copied());
            if at % 2 == 0 {
                // Refused: it is as it was.
                floor.follow(&wish, Some(&answer(409, 0, "{}"))).unwrap();
                busy.retain(|party| !wish.parties.contains(party));
            }
        }
        assert_eq!(floor.told.len(), 0);
        assert!(!busy.is_empty());
    }

    #[test]
    fn a_change_needs_a_place_of_its_own() {
        let mut floor = Floor::new(&[]);
        floor.told = vec![1, 2, 3];
        assert_eq!((floor.homeless(3), floor.homeless(2)), (0, 1));
        floor.told = vec![1, 1, 0];
        assert_eq!(floor.homeless(9), 2);
    }

    impl Floor {
        fn taken(&self) -> usize {
            self.tables
                .iter()
                .filter(|spot| spot.party.is_some())
                .count()
        }
    }
}

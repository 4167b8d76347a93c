//! A wait, worked out from what is known of the floor: a plain function.
//!
//! Sixty-four evenings are played through. In each, every party at a table leaves after a stay that
//! is drawn from those that lasted at least as long as it already sits; then the parties that wait
//! are seated in their order, each where it can sit first, and stay for a drawn time. Every party
//! draws once from each of 64 equal slices of its stays, in an order of its own, so that so few
//! evenings are enough, and always in the same one, so that the same floor has the same quote. The
//! range is from what one evening in five stays below to what four in five do.
//!
//! A formula would have to do without what decides most waits: which tables fit whom, bookings in
//! between, and who sits at joined tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;
use wire::TableId;
use wire::floor::tables::TableStatus;
use wire::floor::waitlist::{QuoteBasis, QuoteDelay, WaitQuote};
use wire::rooms::RestaurantSettings;

use super::stays::{Band, PRIOR_WEIGHT, Stays};
use crate::floor::availability::{House, PlanTable};

/// How many evenings are played through.
const EVENINGS: usize = 64;

/// How many parties before it are seated on the way; behind so many the wait is the longest anyway,
/// or they are for a hall with tables enough.
const MOST_AHEAD: usize = 200;

/// The longest wait that is quoted, in minutes.
const LONGEST: i64 = 240;

/// How long it takes to clean a table, in minutes.
const CLEANING: i64 = 5;

/// How far back stays are looked at.
pub(super) const LOOK_BACK: TimeDelta = TimeDelta::days(56);

/// A party that has left: its size, and how long it stayed in minutes.
pub type Turn = (i32, i64);

/// What a wait depends on.
#[derive(Clone, Debug, Deserialize)]
pub struct Floor {
    /// How the house works.
    pub settings: RestaurantSettings,
    /// The tables that may be sat at.
    pub tables: Vec<FloorTable>,
    /// Who sits where.
    pub sittings: Vec<Sitting>,
    /// The sizes of the parties that wait for a table that is not booked for them, in their order.
    pub queue: Vec<i32>,
    /// What is booked or kept in the next hours.
    pub claims: Vec<Claim>,
    /// The latest parties that have left.
    pub turns: Vec<Turn>,
}

/// A table.
#[derive(Clone, Debug, Deserialize)]
pub struct FloorTable {
    /// Which.
    pub id: TableId,
    /// What staff call it.
    pub number: String,
    /// Covers that fit.
    pub capacity: i32,
    /// The smallest party it is given to.
    pub min_party_size: i32,
    /// How it is.
    pub status: TableStatus,
}

/// A party at its tables.
#[derive(Clone, Debug, Deserialize)]
pub struct Sitting {
    /// Covers.
    pub party_size: i32,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Where.
    pub tables: Vec<TableId>,
}

/// A table that somebody else gets.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Claim {
    /// Which.
    pub table: TableId,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// The times in minutes from now at which a table is somebody else's.
type Taken = Vec<(i64, i64)>;

/// Somebody who waits: where they may sit, and how long they stay.
#[derive(Clone, Debug)]
struct Wanting {
    /// The best place first.
    places: Vec<Place>,
    /// All tables among them.
    tables: BTreeSet<usize>,
    stays: Stays,
    median: i64,
}

/// Tables at which a party may sit, by their number in the list, and when one of them is somebody
/// else's.
#[derive(Clone, Debug)]
struct Place {
    tables: Vec<usize>,
    taken: Taken,
}

/// An evening: in how many minutes each table is free, as it began, and after those who wait.
#[derive(Clone, Debug)]
struct Evening {
    now: Vec<i64>,
    free: Vec<i64>,
}

/// How long parties would wait that come now: the evenings, played through once for all who wait
/// before them.
#[derive(Clone, Debug)]
pub struct Quotes {
    now: DateTime<Utc>,
    house: House,
    turns: Vec<Turn>,
    /// When each table is somebody else's.
    taken: Vec<Taken>,
    evenings: Vec<Evening>,
    /// What is known of parties by their size.
    sizes: BTreeMap<i32, Arc<Wanting>>,
    /// How many of each size wait.
    ahead: BTreeMap<i32, usize>,
    seated: usize,
    /// What else makes them wait.
    delays: Vec<QuoteDelay>,
}

impl Quotes {
    /// Plays the evenings of a floor.
    #[must_use]
    pub fn new(floor: Floor, now: DateTime<Utc>) -> Self {
        let house = House {
            zone: Tz::UTC,
            settings: floor.settings.clone(),
            tables: floor.tables.iter().map(plan_table).collect(),
            busy: Vec::new(),
            arrivals: Vec::new(),
        };
        let room = Room::new(&floor, now);
        let mut quotes = Self {
            now,
            house,
            evenings: room.evenings(),
            taken: room.taken,
            turns: floor.turns,
            sizes: BTreeMap::new(),
            ahead: BTreeMap::new(),
            seated: 0,
            delays: Vec::new(),
        };
        for party_size in floor.queue {
            quotes.join(party_size);
        }
        quotes
    }

    /// Adds what makes everybody wait longer, wherever there is a table.
    pub fn add(&mut self, delays: Vec<QuoteDelay>) {
        self.delays.extend(delays);
    }

    /// Somebody waits behind all others: is seated in each evening where it can sit first, unless
    /// too many are.
    pub fn join(&mut self, party_size: i32) {
        *self.ahead.entry(party_size).or_default() += 1;
        if self.seated == MOST_AHEAD {
            return;
        }
        let party = self.wanting(party_size);
        // Those who sit and those who wait are counted apart, so that one more of these leaves
        // everybody else's draws as they were.
        let seed = 1_000_000 + u64::try_from(self.seated).unwrap_or(0);
        self.seated += 1;
        for (evening, slice) in self.evenings.iter_mut().zip(order(seed)) {
            let stay = party.stays.at(slice, EVENINGS);
            let starts = party
                .places
                .iter()
                .map(|place| (party.start(place, &evening.free), place));
            if let Some((start, place)) = starts.min_by_key(|(start, _)| *start) {
                for table in &place.tables {
                    if let Some(free) = evening.free.get_mut(*table) {
                        *free = start + stay;
                    }
                }
            }
        }
    }

    /// How long a party would wait that comes behind all who joined.
    ///
    /// With everybody who is seated tables are free later, never earlier; so nobody is promised an
    /// earlier table because somebody else came before.
    pub fn quote(&mut self, party_size: i32) -> WaitQuote {
        let own = self.wanting(party_size);
        let waits = |free: fn(&Evening) -> &[i64]| {
            let mut waits = Vec::new();
            if !own.places.is_empty() {
                waits.extend(self.evenings.iter().map(|evening| own.first(free(evening))));
            }
            waits.sort_unstable();
            waits
        };
        let delay: i64 = self
            .delays
            .iter()
            .map(|delay| i64::from(delay.minutes))
            .sum();
        let part = |sorted: &[i64], fifths: usize| {
            let index = sorted.len() * fifths / 5;
            sorted.get(index).map(|wait| (*wait + delay).min(LONGEST))
        };
        let (total, first) = (
            waits(|evening| &evening.free),
            waits(|evening| &evening.now),
        );
        let free_now = self.evenings.first().map_or(0, |evening| {
            let starts = own
                .places
                .iter()
                .map(|place| own.start(place, &evening.now));
            starts.filter(|start| *start == 0).count()
        });
        let competes = |size: &i32| {
            let other = self.sizes.get(size);
            other.is_some_and(|other| !other.tables.is_disjoint(&own.tables))
        };
        let ahead = self.ahead.iter().filter(|(size, _)| competes(size));
        let band = Band::of(party_size);
        WaitQuote {
            party_size,
            low_minutes: part(&total, 1).map(|wait| minutes(wait / 5 * 5)),
            high_minutes: part(&total, 4).map(|wait| minutes((wait + 4) / 5 * 5)),
            parties_ahead: ahead.map(|(_, count)| count).sum(),
            basis: QuoteBasis {
                seatings: own.stays.seen,
                since: self.now - LOOK_BACK,
                min_party_size: band.least,
                max_party_size: band.most,
                prior_weight: PRIOR_WEIGHT,
                turn_minutes: minutes(own.median),
                tables_that_fit: own.places.len(),
                free_now,
                delays: self.delays.clone(),
                next_free_minutes: first.get(first.len() / 2).map(|wait| minutes(*wait)),
            },
        }
    }

    /// What is known of parties of a size.
    fn wanting(&mut self, party_size: i32) -> Arc<Wanting> {
        let (house, turns, taken) = (&self.house, &self.turns, &self.taken);
        let wanting = self.sizes.entry(party_size).or_insert_with(|| {
            let places: Vec<Place> = places(house, party_size)
                .into_iter()
                .map(|tables| Place {
                    taken: tables
                        .iter()
                        .filter_map(|table| taken.get(*table))
                        .flatten()
                        .copied()
                        .collect(),
                    tables,
                })
                .collect();
            let stays = Stays::new(&house.settings, turns, party_size);
            Arc::new(Wanting {
                tables: places
                    .iter()
                    .flat_map(|place| place.tables.clone())
                    .collect(),
                places,
                median: stays.median(),
                stays,
            })
        });
        Arc::clone(wanting)
    }
}

fn plan_table(table: &FloorTable) -> PlanTable {
    PlanTable {
        id: table.id,
        number: table.number.clone(),
        capacity: table.capacity,
        min_party_size: table.min_party_size,
    }
}

fn places(house: &House, party_size: i32) -> Vec<Vec<usize>> {
    let number = |wanted: &PlanTable| house.tables.iter().position(|table| table.id == wanted.id);
    house
        .places(party_size)
        .into_iter()
        .map(|tables| tables.into_iter().filter_map(number).collect())
        .collect()
}

fn minutes(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl Wanting {
    /// In how many minutes a party can sit anywhere.
    fn first(&self, free: &[i64]) -> i64 {
        let starts = self.places.iter().map(|place| self.start(place, free));
        starts.min().unwrap_or(LONGEST)
    }

    /// In how many minutes a party can sit at joined tables: they are free, and stay so until it has
    /// probably left.
    fn start(&self, place: &Place, free: &[i64]) -> i64 {
        let tables = place.tables.iter();
        let mut start = tables
            .filter_map(|table| free.get(*table))
            .copied()
            .max()
            .unwrap_or(LONGEST);
        while let Some((_, until)) = place
            .taken
            .iter()
            .find(|(from, until)| start < *until && *from < start + self.median)
        {
            start = *until;
        }
        start
    }
}

/// The tables as they are, and everybody at them.
struct Room {
    /// What each table is: free from a minute on, or held by a party.
    tables: Vec<Holder>,
    /// When each table is somebody else's.
    taken: Vec<Taken>,
    /// How long each party has been there, and how long its like stay.
    parties: Vec<(i64, Stays)>,
}

#[derive(Clone, Copy)]
enum Holder {
    Nobody { free_in: i64 },
    Party(usize),
}

impl Room {
    fn new(floor: &Floor, now: DateTime<Utc>) -> Self {
        let after = |time: DateTime<Utc>| (time - now).num_minutes();
        let mut parties: Vec<(i64, Stays)> = floor
            .sittings
            .iter()
            .map(|sitting| {
                let stays = Stays::new(&floor.settings, &floor.turns, sitting.party_size);
                (-after(sitting.since), stays)
            })
            .collect();
        let (mut tables, mut taken) = (Vec::new(), Vec::new());
        for table in &floor.tables {
            let mut claims: Taken = floor
                .claims
                .iter()
                .filter(|claim| claim.table == table.id)
                .map(|claim| (after(claim.from), after(claim.until)))
                .collect();
            claims.sort_unstable();
            let sits = |sitting: &Sitting| sitting.tables.contains(&table.id);
            tables.push(match floor.sittings.iter().position(sits) {
                Some(party) => Holder::Party(party),
                // Kept by hand for somebody who will be there any moment.
                None if table.status == TableStatus::Reserved && claims.is_empty() => {
                    let stays = Stays::new(&floor.settings, &floor.turns, table.capacity);
                    parties.push((0, stays));
                    Holder::Party(parties.len() - 1)
                }
                None if table.status == TableStatus::NeedsCleaning => {
                    Holder::Nobody { free_in: CLEANING }
                }
                None => Holder::Nobody { free_in: 0 },
            });
            taken.push(claims);
        }
        Self {
            tables,
            taken,
            parties,
        }
    }

    /// The evenings, before anybody who waits is seated.
    fn evenings(&self) -> Vec<Evening> {
        let orders: Vec<Vec<usize>> = (0..).take(self.parties.len()).map(order).collect();
        (0..EVENINGS)
            .map(|evening| {
                let rest: Vec<i64> = self
                    .parties
                    .iter()
                    .zip(&orders)
                    .map(|((elapsed, stays), order)| {
                        let slice = order.get(evening).copied().unwrap_or(0);
                        stays.rest_at(*elapsed, slice, EVENINGS)
                    })
                    .collect();
                let free = self.tables.iter().map(|table| match table {
                    Holder::Nobody { free_in } => *free_in,
                    Holder::Party(party) => rest.get(*party).copied().unwrap_or(0),
                });
                let now: Vec<i64> = free.collect();
                Evening {
                    free: now.clone(),
                    now,
                }
            })
            .collect()
    }
}

/// The order in which somebody draws from the slices.
fn order(seed: u64) -> Vec<usize> {
    let mut slices: Vec<usize> = (0..EVENINGS).collect();
    slices.shuffle(&mut StdRng::seed_from_u64(seed));
    slices
}

#[cfg(test)]
mod tests;

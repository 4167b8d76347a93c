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

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;
use wire::TableId;
use wire::floor::tables::TableStatus;
use wire::floor::waitlist::{QuoteBasis, WaitQuote};
use wire::identity::restaurants::RestaurantSettings;

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
struct Wanting {
    /// Tables by their number in the list, the best place first.
    places: Vec<Vec<usize>>,
    stays: Stays,
}

/// How long a party that comes now would wait.
#[must_use]
pub fn quote(floor: &Floor, party_size: i32, now: DateTime<Utc>) -> WaitQuote {
    let house = House {
        zone: Tz::UTC,
        settings: floor.settings.clone(),
        tables: floor.tables.iter().map(plan_table).collect(),
        busy: Vec::new(),
        arrivals: Vec::new(),
    };
    let wanting = |size: i32| Wanting {
        places: places(&house, size),
        stays: Stays::new(&floor.settings, &floor.turns, size),
    };
    let own = wanting(party_size);
    let sizes: BTreeMap<i32, Wanting> = floor
        .queue
        .iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|size| (*size, wanting(*size)))
        .collect();
    let ahead: Vec<&Wanting> = floor
        .queue
        .iter()
        .filter_map(|size| sizes.get(size))
        .collect();
    let room = Room::new(floor, &house, now);
    let evenings = room.play(&own, ahead.get(..MOST_AHEAD).unwrap_or(&ahead));

    let waits = |wait: fn(&Evening) -> i64| {
        let mut waits: Vec<i64> = evenings.iter().map(wait).collect();
        waits.sort_unstable();
        waits
    };
    let part = |sorted: &[i64], fifths: usize| {
        let index = sorted.len() * fifths / 5;
        sorted.get(index).map(|wait| (*wait).min(LONGEST))
    };
    let total = waits(|evening| evening.wait);
    let first = waits(|evening| evening.first_free);
    let band = Band::of(party_size);
    WaitQuote {
        party_size,
        low_minutes: part(&total, 1).map(|wait| minutes(wait / 5 * 5)),
        high_minutes: part(&total, 4).map(|wait| minutes((wait + 4) / 5 * 5)),
        parties_ahead: ahead.iter().filter(|other| other.competes(&own)).count(),
        basis: QuoteBasis {
            seatings: own.stays.seen,
            since: now - LOOK_BACK,
            min_party_size: band.least,
            max_party_size: band.most,
            prior_weight: PRIOR_WEIGHT,
            turn_minutes: minutes(own.stays.median()),
            tables_that_fit: own.places.len(),
            free_now: evenings.first().map_or(0, |evening| evening.free_now),
            next_free_minutes: first.get(first.len() / 2).map(|wait| minutes(*wait)),
        },
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
    /// Whether they could take a table that others want.
    fn competes(&self, other: &Self) -> bool {
        let mut tables = self.places.iter().flatten();
        tables.any(|table| other.places.iter().flatten().any(|wanted| wanted == table))
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

/// What an evening brought.
struct Evening {
    /// How long the party waited.
    wait: i64,
    /// How long it would have waited had nobody been there before it.
    first_free: i64,
    /// At how many places it could have sat at once.
    free_now: usize,
}

impl Room {
    fn new(floor: &Floor, house: &House, now: DateTime<Utc>) -> Self {
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
                    let stays = Stays::new(&house.settings, &floor.turns, table.capacity);
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

    fn play(&self, own: &Wanting, ahead: &[&Wanting]) -> Vec<Evening> {
        if own.places.is_empty() {
            return Vec::new();
        }
        // Those who sit and those who wait are counted apart, so that one more of these leaves
        // everybody else's draws as they were.
        let sitting: Vec<Vec<usize>> = (0..).take(self.parties.len()).map(order).collect();
        let waiting: Vec<Vec<usize>> = (1_000_000..).take(ahead.len()).map(order).collect();
        (0..EVENINGS)
            .map(|evening| {
                let slice = |orders: &[Vec<usize>], who: usize| {
                    let order = orders.get(who).and_then(|order| order.get(evening));
                    order.copied().unwrap_or(0)
                };
                let rest: Vec<i64> = (0..)
                    .zip(&self.parties)
                    .map(|(who, (elapsed, stays))| {
                        stays.rest_at(*elapsed, slice(&sitting, who), EVENINGS)
                    })
                    .collect();
                let free: Vec<i64> = self
                    .tables
                    .iter()
                    .map(|table| match table {
                        Holder::Nobody { free_in } => *free_in,
                        Holder::Party(party) => rest.get(*party).copied().unwrap_or(0),
                    })
                    .collect();
                let stays = (0..).zip(ahead).map(|(who, party)| {
                    let stay = party.stays.at(slice(&waiting, who), EVENINGS);
                    (*party, stay)
                });
                self.evening(own, stays, free)
            })
            .collect()
    }

    fn evening<'a>(
        &self,
        own: &Wanting,
        ahead: impl Iterator<Item = (&'a Wanting, i64)>,
        mut free: Vec<i64>,
    ) -> Evening {
        let starts = |want: &Wanting, free: &[i64]| -> Vec<i64> {
            let stay = want.stays.median();
            let places = want.places.iter();
            places.map(|place| self.start(place, free, stay)).collect()
        };
        let at_once = starts(own, &free);
        let first_free = at_once.iter().copied().min().unwrap_or(LONGEST);
        let mut wait = first_free;
        for (party, stay) in ahead {
            let starts = starts(party, &free);
            let best = starts
                .iter()
                .zip(&party.places)
                .min_by_key(|(start, _)| **start);
            if let Some((start, place)) = best {
                for table in place {
                    if let Some(free) = free.get_mut(*table) {
                        *free = start + stay;
                    }
                }
            }
            // Nobody is promised an earlier table because somebody else came before.
            let next = self.first(own, &free);
            wait = wait.max(next);
        }
        Evening {
            wait,
            first_free,
            free_now: at_once.iter().filter(|start| **start == 0).count(),
        }
    }

    /// In how many minutes a party can sit anywhere.
    fn first(&self, want: &Wanting, free: &[i64]) -> i64 {
        let stay = want.stays.median();
        let starts = want
            .places
            .iter()
            .map(|place| self.start(place, free, stay));
        starts.min().unwrap_or(LONGEST)
    }

    /// In how many minutes a party that stays for `stay` can sit at joined tables: they are free,
    /// and stay so until it has probably left.
    fn start(&self, place: &[usize], free: &[i64], stay: i64) -> i64 {
        let tables = place.iter();
        let mut start = tables
            .filter_map(|table| free.get(*table))
            .copied()
            .max()
            .unwrap_or(LONGEST);
        let taken: Vec<&(i64, i64)> = place
            .iter()
            .filter_map(|table| self.taken.get(*table))
            .flatten()
            .collect();
        while let Some((_, until)) = taken
            .iter()
            .find(|(from, until)| start < *until && *from < start + stay)
        {
            start = *until;
        }
        start
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

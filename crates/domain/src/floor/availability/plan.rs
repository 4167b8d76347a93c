//! Which slots there are: plain functions of what is known of a house.
//!
//! Time is counted in moments, not by the clock on the wall: hours are turned into moments once,
//! and slots are a quarter of an hour apart from there. So on the day on which the clock is put
//! back the hour that is shown twice has its slots twice, and on the day on which it is put forward
//! there are none in the hour that is never shown.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use wire::TableId;
use wire::floor::availability::Slot;
use wire::rooms::RestaurantSettings;
use wire::venue::settings::{Hours, Weekday};

use crate::venue::day;
/// How far apart slots are, and over what length of time arrivals are counted, in seconds.
const QUARTER: i64 = 15 * 60;

/// All that decides what a house can offer.
#[derive(Clone, Debug)]
pub struct House {
    /// By which its days are counted.
    pub zone: Tz,
    /// How it works.
    pub settings: RestaurantSettings,
    /// Its tables, those that cannot be booked left out.
    pub tables: Vec<PlanTable>,
    /// What is taken.
    pub busy: Vec<Busy>,
    /// Whom it expects.
    pub arrivals: Vec<Arrival>,
}

/// A table that may be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanTable {
    /// Which.
    pub id: TableId,
    /// What staff call it.
    pub number: String,
    /// Covers that fit.
    pub capacity: i32,
    /// The smallest party it is given to.
    pub min_party_size: i32,
}

/// A table that is taken, from one moment until just before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Which.
    pub table_id: TableId,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// A party that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub time: DateTime<Utc>,
    /// How many.
    pub party_size: i32,
}

/// For whom a slot is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Covers.
    pub party_size: i32,
    /// How long they stay.
    pub duration: TimeDelta,
    /// Whether a table that is far too large will do, when no other is free.
    pub large_tables: bool,
    /// The present.
    pub now: DateTime<Utc>,
}

/// Why a house does not offer a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is past.
    Past,
    /// The house is closed, or closes before the party would leave.
    Hours,
    /// No more bookings are taken for that time.
    Paused,
    /// Enough others arrive in that quarter of an hour.
    Pacing,
}

/// A time in which a house is open.
#[derive(Clone, Copy, Debug)]
struct Window {
    opens: DateTime<Utc>,
    closes: DateTime<Utc>,
    /// Open around the clock: parties may stay beyond midnight.
    is_endless: bool,
}

impl Window {
    fn contains(&self, start: DateTime<Utc>, duration: TimeDelta) -> bool {
        let is_in_time = if self.is_endless {
            start < self.closes
        } else {
            start + duration <= self.closes
        };
        self.opens <= start && is_in_time
    }
}

impl House {
    /// The free slots of the day on which the house opens, in the order of their times.
    #[must_use]
    pub fn slots(&self, date: NaiveDate, ask: &Ask) -> Vec<Slot> {
        let mut times: Vec<DateTime<Utc>> = Vec::new();
        for window in self.windows(date) {
            let mut time = window.opens;
            while window.contains(time, ask.duration) {
                times.push(time);
                time += TimeDelta::seconds(QUARTER);
            }
        }
        times.sort_unstable();
        times.dedup();
        // Looked up once for all of them: there are some hundred, and as many parties.
        let room = Room::new(self, ask);
        times
            .into_iter()
            .filter(|time| *time >= ask.now && self.check_time(*time, ask).is_ok())
            .filter_map(|time| self.slot_in(&room, time, ask))
            .collect()
    }

    /// A slot at a time, if tables are free then.
    #[must_use]
    pub fn slot(&self, time: DateTime<Utc>, ask: &Ask) -> Option<Slot> {
        self.slot_in(&Room::new(self, ask), time, ask)
    }

    fn slot_in(&self, room: &Room<'_>, time: DateTime<Utc>, ask: &Ask) -> Option<Slot> {
        let tables = room.place(time, ask)?;
        Some(Slot {
            time,
            local_time: time.with_timezone(&self.zone).format("%H:%M").to_string(),
            end_time: time + ask.duration,
            capacity: tables.iter().map(|table| table.capacity).sum(),
            table_ids: tables.iter().map(|table| table.id).collect(),
        })
    }

    /// Whether the house takes such a party at a time, wherever it sits.
    ///
    /// # Errors
    /// Why not.
    pub fn check_time(&self, time: DateTime<Utc>, ask: &Ask) -> Result<(), Closed> {
        // Whoever chose a slot may need a moment to send it.
        if time + TimeDelta::seconds(QUARTER) <= ask.now {
            return Err(Closed::Past);
        }
        let date = time.with_timezone(&self.zone).date_naive();
        let is_open = [Some(date), date.checked_sub_days(Days::new(1))]
            .into_iter()
            .flatten()
            .flat_map(|date| self.windows(date))
            .any(|window| window.contains(time, ask.duration));
        if !is_open {
            return Err(Closed::Hours);
        }
        let pauses = &self.settings.venue.pauses;
        if pauses
            .iter()
            .any(|pause| pause.from <= time && time < pause.until)
        {
            return Err(Closed::Paused);
        }
        if self.is_paced_out(time, ask.party_size) {
            return Err(Closed::Pacing);
        }
        Ok(())
    }

    /// Where the party would sit: the smallest table that fits, joined tables last.
    #[must_use]
    pub fn place(&self, time: DateTime<Utc>, ask: &Ask) -> Option<Vec<&PlanTable>> {
        let room = Room::new(self, ask);
        room.place(time, ask).map(<[&PlanTable]>::to_vec)
    }

    /// Everywhere a party of this size may sit, the best first: the tables that fit, the smallest
    /// first, then those that may be joined.
    #[must_use]
    pub fn places(&self, party_size: i32) -> Vec<Vec<&PlanTable>> {
        let (fitting, far_too_large): (Vec<&PlanTable>, Vec<&PlanTable>) = self
            .large_enough(party_size)
            .into_iter()
            .filter(|table| table.min_party_size <= party_size)
            .partition(|table| is_right(table.capacity, party_size));
        // A house that has nothing but tables for six gives them to two.
        let singles = if fitting.is_empty() {
            far_too_large
        } else {
            fitting
        };
        let mut groups = self.groups(party_size);
        groups.sort_by_key(|tables| {
            (
                tables.len(),
                tables.iter().map(|table| table.capacity).sum::<i32>(),
            )
        });
        let singles = singles.into_iter().map(|table| vec![table]);
        singles.chain(groups).collect()
    }

    /// The tables with enough seats, the smallest first.
    fn large_enough(&self, party_size: i32) -> Vec<&PlanTable> {
        let mut large: Vec<&PlanTable> = self
            .tables
            .iter()
            .filter(|table| party_size <= table.capacity)
            .collect();
        large.sort_by_key(|table| (table.capacity, table.number.len(), &table.number));
        large
    }

    /// The groups that may be joined for a party of this size.
    fn groups(&self, party_size: i32) -> Vec<Vec<&PlanTable>> {
        self.settings
            .floor
            .joinable_groups
            .iter()
            .filter_map(|group| {
                let tables: Vec<&PlanTable> = group
                    .table_ids
                    .iter()
                    .map(|id| self.tables.iter().find(|table| table.id == *id))
                    .collect::<Option<_>>()?;
                let seats: i32 = tables.iter().map(|table| table.capacity).sum();
                let largest = tables.iter().map(|table| table.capacity).max()?;
                let least = group.min_party_size.unwrap_or(largest + 1);
                let most = group.max_party_size.unwrap_or(seats).min(seats);
                (least..=most).contains(&party_size).then_some(tables)
            })
            .collect()
    }

    fn is_paced_out(&self, time: DateTime<Utc>, party_size: i32) -> bool {
        let pacing = self.settings.floor.pacing;
        let quarter = |time: DateTime<Utc>| time.timestamp().div_euclid(QUARTER);
        let (mut parties, mut covers) = (1, party_size);
        for other in self
            .arrivals
            .iter()
            .filter(|other| quarter(other.time) == quarter(time))
        {
            parties += 1;
            covers += other.party_size;
        }
        pacing.max_covers.is_some_and(|most| covers > most)
            || pacing.max_parties.is_some_and(|most| parties > most)
    }

    /// When the house is open on a date.
    fn windows(&self, date: NaiveDate) -> Vec<Window> {
        let at = |minute| day::local(date, self.zone, minute);
        let window = |hours: Hours| Window {
            opens: at(hours.opens_minute),
            closes: at(hours.closes_minute),
            is_endless: false,
        };
        let exceptions = &self.settings.venue.hours_exceptions;
        if let Some(exception) = exceptions.iter().find(|exception| exception.date == date) {
            return exception.hours.iter().copied().map(window).collect();
        }
        let Some(weekly) = &self.settings.venue.opening_hours else {
            return vec![Window {
                opens: at(0),
                closes: at(1440),
                is_endless: true,
            }];
        };
        let weekday = weekday(date);
        weekly
            .iter()
            .filter(|hours| hours.weekday == weekday)
            .map(|hours| window(hours.hours))
            .collect()
    }
}

/// Where a party may sit, the best first, and when each table is taken.
struct Room<'h> {
    places: Vec<Vec<&'h PlanTable>>,
    busy: HashMap<TableId, Vec<&'h Busy>>,
}

impl<'h> Room<'h> {
    fn new(house: &'h House, ask: &Ask) -> Self {
        let mut places = house.places(ask.party_size);
        if ask.large_tables {
            let large = house.large_enough(ask.party_size);
            places.extend(large.into_iter().map(|table| vec![table]));
        }
        let mut busy: HashMap<TableId, Vec<&Busy>> = HashMap::new();
        for one in &house.busy {
            busy.entry(one.table_id).or_default().push(one);
        }
        Self { places, busy }
    }

    fn place(&self, time: DateTime<Utc>, ask: &Ask) -> Option<&[&'h PlanTable]> {
        let is_free = |table: &PlanTable| {
            let mut busy = self.busy.get(&table.id).into_iter().flatten();
            !busy.any(|busy| busy.from < time + ask.duration && time < busy.until)
        };
        let mut places = self.places.iter().map(Vec::as_slice);
        places.find(|tables| tables.iter().all(|table| is_free(table)))
    }
}

/// Whether a table is not far too large for a party: no table for six to two.
fn is_right(capacity: i32, party_size: i32) -> bool {
    capacity <= (2 * party_size).max(4)
}

fn weekday(date: NaiveDate) -> Weekday {
    match date.weekday() {
        chrono::Weekday::Mon => Weekday::Monday,
        chrono::Weekday::Tue => Weekday::Tuesday,
        chrono::Weekday::Wed => Weekday::Wednesday,
        chrono::Weekday::Thu => Weekday::Thursday,
        chrono::Weekday::Fri => Weekday::Friday,
        chrono::Weekday::Sat => Weekday::Saturday,
        chrono::Weekday::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests;

//! The house's choice of tables, and what it says when there is none.

use chrono::{DateTime, TimeDelta, Utc};
use wire::floor::availability::{Slot, TableConflict};
use wire::{ErrorCode, TableId};

use super::plan::{Ask, Closed, House};
use super::read::house;
use crate::db::Tx;
use crate::venue::restaurants::{self, Calendar};
use crate::{Error, Result};

/// How many slots are offered instead of one that cannot be had.
const ALTERNATIVES: usize = 5;

/// Who would come when.
#[derive(Clone, Copy, Debug)]
pub(in crate::floor) struct Wish {
    pub(in crate::floor) party_size: i32,
    pub(in crate::floor) time: DateTime<Utc>,
    pub(in crate::floor) duration: TimeDelta,
}

impl Wish {
    pub(in crate::floor) fn until(&self) -> DateTime<Utc> {
        self.time + self.duration
    }

    fn ask(&self, now: DateTime<Utc>) -> Ask {
        Ask {
            party_size: self.party_size,
            duration: self.duration,
            large_tables: false,
            now,
        }
    }
}

/// The tables that the house gives to a party, by the rules of its availability.
///
/// Choosers of one restaurant wait for each other at its row, the first in the order of locks:
/// two who look at once would choose the same table, and pacing cannot be counted otherwise.
pub(in crate::floor) async fn choose(tx: &mut Tx<'_>, wish: &Wish) -> Result<Vec<TableId>> {
    restaurants::lock(tx).await?;
    let house = house_for(tx, wish).await?;
    let ask = wish.ask(tx.now);
    let reason = match house.check_time(wish.time, &ask) {
        Ok(()) => match house.slot(wish.time, &ask) {
            Some(slot) => return Ok(slot.table_ids),
            None => format!("No table is free for {} then.", wish.party_size),
        },
        Err(Closed::Past) => "That time is past.".to_owned(),
        Err(Closed::Hours) => "The restaurant is not open for all of that time.".to_owned(),
        Err(Closed::Paused) => "No more bookings are taken for that time.".to_owned(),
        Err(Closed::Pacing) => "Enough other guests arrive at that time.".to_owned(),
    };
    let slots = nearest(&house, wish, &ask);
    let conflict = TableConflict {
        slots,
        ..TableConflict::default()
    };
    Err(unavailable(reason, &conflict))
}

/// A table is booked or kept at the time that was asked for, or none is free.
fn unavailable(message: String, conflict: &TableConflict) -> Error {
    Error::detailed(ErrorCode::TableUnavailable, message, conflict)
}

/// The refusal of tables that somebody else has, with the nearest slots that are free.
pub(in crate::floor) async fn taken(
    tx: &mut Tx<'_>,
    wish: &Wish,
    number: &str,
    conflict: TableConflict,
) -> Result<Error> {
    let house = house_for(tx, wish).await?;
    let clock = |time: Option<DateTime<Utc>>| {
        time.map_or_else(String::new, |time| {
            time.with_timezone(&house.zone).format("%H:%M").to_string()
        })
    };
    let message = format!(
        "Table {number} is {} from {} to {}.",
        match (&conflict.guest_name, conflict.reservation_id) {
            (Some(name), _) => format!("booked for {name}"),
            (None, Some(_)) => "booked".to_owned(),
            (None, None) => "kept for somebody who is booking it".to_owned(),
        },
        clock(conflict.from),
        clock(conflict.until),
    );
    let slots = nearest(&house, wish, &wish.ask(tx.now));
    Ok(unavailable(message, &TableConflict { slots, ..conflict }))
}

async fn house_for(tx: &mut Tx<'_>, wish: &Wish) -> Result<House> {
    let restaurant = tx.restaurant_id();
    let calendar = restaurants::calendar_in(tx).await?;
    let date = wish.time.with_timezone(&calendar.zone).date_naive();
    // From the day before, whose hours may reach into this one.
    let date = date.pred_opt().unwrap_or(date);
    let calendar = Calendar::clone(&calendar);
    house(tx.conn, restaurant, calendar, date, tx.now).await
}

/// The nearest free slots of that day and the evening before, nearest first.
fn nearest(house: &House, wish: &Wish, ask: &Ask) -> Vec<Slot> {
    let date = wish.time.with_timezone(&house.zone).date_naive();
    let mut slots: Vec<Slot> = [date.pred_opt(), Some(date)]
        .into_iter()
        .flatten()
        .flat_map(|date| house.slots(date, ask))
        .collect();
    slots.sort_by_key(|slot| ((slot.time - wish.time).abs(), slot.time));
    slots.truncate(ALTERNATIVES);
    slots
}

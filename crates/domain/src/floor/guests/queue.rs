//! The order of the waiting list.
//!
//! Places are 1 to n without gaps, and stored: a client shows what it is told, and a party whose
//! place changed has its event in the transaction that moved it. So to seat the first of fifty
//! costs one statement and fifty events; people do that a few times in a minute, and a screen that
//! counts places by itself would show another number than the guest's telephone.
//!
//! Beside its place a party keeps a time that orders it: its coming or, once somebody moved it, a
//! moment between its neighbours'. That survives when it leaves the list, so a party that was
//! seated by mistake goes back between the same neighbours, wherever these stand by now.
//!
//! Whoever changes the list locks the restaurant's row first, then tables, then all who wait.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use wire::live::events::{Action, EventKind};
use wire::{GuestId, RestaurantId};

use super::row::GuestRow;
use crate::Result;
use crate::db::Tx;
use crate::schema::guests;

/// The least difference between two times, as the database has them.
const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Where a party goes on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Nowhere: it is off it.
    Off,
    /// To a place, counted from 1.
    To(i32),
    /// To where it was before, or belongs by its coming.
    Back,
}

/// A party whose place changed by somebody else's move.
#[derive(Debug)]
pub(super) struct Moved {
    before: GuestRow,
    row: GuestRow,
}

/// Those who wait beside the one whose change it is.
#[derive(Debug, Default)]
pub(super) struct Queue(Vec<GuestRow>);

/// Locks everybody who waits, and `others`, by id.
pub(in crate::floor) async fn lock(tx: &mut Tx<'_>, others: &[GuestId]) -> Result<()> {
    rows(tx, others).await.map(drop)
}

/// Locks a party and everybody who waits; `None` where there is no such party.
pub(super) async fn lock_with(tx: &mut Tx<'_>, id: GuestId) -> Result<Option<(GuestRow, Queue)>> {
    let mut rows = rows(tx, &[id]).await?;
    let Some(index) = rows.iter().position(|row| row.id == id) else {
        return Ok(None);
    };
    let own = rows.swap_remove(index);
    Ok(Some((own, Queue::new(rows))))
}

async fn rows(tx: &mut Tx<'_>, others: &[GuestId]) -> Result<Vec<GuestRow>> {
    let waits = guests::finished_time
        .is_null()
        .and(guests::wait_position.is_not_null());
    Ok(guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::id.eq_any(others).or(waits))
        .order(guests::id)
        .select(GuestRow::as_select())
        .for_update()
        .load(tx.conn)
        .await?)
}

/// Puts a new party at the end. The restaurant's row is locked.
pub(super) async fn append(tx: &mut Tx<'_>, row: &mut GuestRow) -> Result<()> {
    let last = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::finished_time.is_null())
        .filter(guests::wait_position.is_not_null())
        .order(guests::wait_position.desc())
        .select((
            guests::wait_position.assume_not_null(),
            guests::queue_time,
            guests::check_in_time,
        ))
        .first::<(i32, Option<DateTime<Utc>>, DateTime<Utc>)>(tx.conn)
        .await
        .optional()?;
    row.wait_position = Some(1);
    if let Some((position, queue_time, check_in_time)) = last {
        row.wait_position = Some(position.saturating_add(1));
        // Workers' clocks differ a little: whoever comes later stands behind all the same.
        let before = queue_time.unwrap_or(check_in_time);
        row.queue_time = (before >= row.check_in_time).then_some(before + TICK);
    }
    Ok(())
}

impl Queue {
    /// Rows of those who wait, in any order.
    fn new(mut rows: Vec<GuestRow>) -> Self {
        rows.retain(|row| row.wait_position.is_some());
        rows.sort_by_key(|row| (row.wait_position, rank(row), row.id));
        Self(rows)
    }

    /// Puts the party where it shall be. Returns the others whose places change by that.
    pub(super) fn arrange(self, own: &mut GuestRow, goal: Goal) -> Vec<Moved> {
        let before = self.0;
        let mut ranks: Vec<DateTime<Utc>> = before.iter().map(rank).collect();
        spread(&mut ranks);
        let index = match goal {
            Goal::Off => None,
            Goal::To(place) => {
                let index = usize::try_from(place.saturating_sub(1)).unwrap_or(0);
                Some(index.min(ranks.len()))
            }
            Goal::Back => Some(ranks.partition_point(|other| *other <= rank(own))),
        };
        if let Some(index) = index {
            let wanted = between(&ranks, index, rank(own));
            ranks.insert(index, wanted);
            spread(&mut ranks);
        }
        own.wait_position = None;
        let mut others = before.into_iter();
        let mut changed = Vec::new();
        for (place, (at, rank)) in (1..).zip(ranks.into_iter().enumerate()) {
            if index == Some(at) {
                own.wait_position = Some(place);
                own.queue_time = queue_time(own, rank);
            } else if let Some(mut row) = others.next() {
                let place = (Some(place), queue_time(&row, rank));
                if (row.wait_position, row.queue_time) != place {
                    let before = row.clone();
                    (row.wait_position, row.queue_time) = place;
                    changed.push(Moved { before, row });
                }
            }
        }
        changed
    }
}

/// The time that orders a party.
fn rank(row: &GuestRow) -> DateTime<Utc> {
    row.queue_time.unwrap_or(row.check_in_time)
}

fn queue_time(row: &GuestRow, rank: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (rank != row.check_in_time).then_some(rank)
}

/// A time for the place `index`, the own one if that fits.
fn between(ranks: &[DateTime<Utc>], index: usize, own: DateTime<Utc>) -> DateTime<Utc> {
    let before = index.checked_sub(1).and_then(|index| ranks.get(index));
    match (before.copied(), ranks.get(index).copied()) {
        (Some(before), Some(after)) if own <= before || after <= own => {
            let ticks = (after - before).num_microseconds().unwrap_or(0);
            before + TimeDelta::microseconds(ticks / 2)
        }
        (Some(before), None) if own <= before => before + TICK,
        (None, Some(after)) if after <= own => after - TimeDelta::seconds(1),
        _ => own,
    }
}

/// Makes times grow where there was no room between two.
fn spread(ranks: &mut [DateTime<Utc>]) {
    let mut least = None;
    for rank in ranks {
        if least.is_some_and(|least| *rank < least) {
            *rank = least.unwrap_or(*rank);
        }
        least = Some(*rank + TICK);
    }
}

/// Writes the others whose places changed, and tells of each.
pub(super) async fn save(tx: &mut Tx<'_>, changed: Vec<Moved>) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut statement = Move {
        restaurant_id: tx.restaurant_id(),
        now: tx.now,
        ids: Vec::new(),
        positions: Vec::new(),
        queue_times: Vec::new(),
    };
    for Moved { row, .. } in &changed {
        statement.ids.push(row.id);
        statement.positions.push(row.wait_position);
        statement.queue_times.push(row.queue_time);
    }
    statement.execute(tx.conn).await?;
    for Moved { before, mut row } in changed {
        row.version += 1;
        row.last_updated = tx.now;
        let [before, guest] = [before, row].map(|row| row.with_tables(Vec::new()));
        let kind = EventKind::GuestUpdated;
        tx.tell_changed(kind, guest.id.0, Action::InfoUpdated, &before, &guest)?;
    }
    Ok(())
}

/// Gives parties their places, in one statement.
#[derive(QueryId)]
struct Move {
    restaurant_id: RestaurantId,
    now: DateTime<Utc>,
    ids: Vec<GuestId>,
    positions: Vec<Option<i32>>,
    queue_times: Vec<Option<DateTime<Utc>>>,
}

impl QueryFragment<Pg> for Move {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE guests SET wait_position = moved.place, queue_time = moved.at, ");
        out.push_sql("version = version + 1, last_updated = ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Integer>>, _>(&self.positions)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&self.queue_times)?;
        out.push_sql(") AS moved (id, place, at) WHERE guests.restaurant_id = ");
        out.push_bind_param::<SqlUuid, _>(&self.restaurant_id)?;
        out.push_sql(" AND guests.id = moved.id");
        Ok(())
    }
}

#[cfg(test)]
mod tests;

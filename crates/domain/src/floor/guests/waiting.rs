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
//!
//! A transaction of many changes reads the list once and writes it once ([`defer`], [`flush`]): in
//! between, the places of those whom others moved are in its memory alone, and whoever locks one of
//! them is given its row as it will be. The versions and events are those of one change at a time.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use wire::{GuestId, RestaurantId};

use super::row::GuestRow;
use crate::db::Tx;
use crate::record::{Record, Stored};
use crate::schema::guests;
use crate::{Error, Result};

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

/// What orders a party on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    id: GuestId,
    position: i32,
    queue_time: Option<DateTime<Utc>>,
    check_in_time: DateTime<Utc>,
    last_updated: DateTime<Utc>,
}

/// What the row of a party still says that others moved, and how often they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moved {
    position: i32,
    queue_time: Option<DateTime<Utc>>,
    times: i32,
}

/// Those who wait, in their order. The restaurant's row and theirs are locked.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    entries: Vec<Entry>,
    moved: HashMap<GuestId, Moved>,
}

/// That the list is written at the end of a transaction's changes.
struct Deferred;

/// From now on the list is in memory. To be followed by [`flush`].
pub(crate) fn defer(tx: &mut Tx<'_>) {
    tx.kept.put(Deferred);
}

/// Writes the list, and tells of everybody whose place changed by somebody else's move.
pub(crate) async fn flush(tx: &mut Tx<'_>) -> Result<()> {
    tx.kept.forget::<Deferred>();
    match tx.kept.take::<Line>() {
        Some(line) => write(tx, &line).await,
        None => Ok(()),
    }
}

/// Locks everybody who waits, and `others`, by id.
pub(crate) async fn lock(tx: &mut Tx<'_>, others: &[GuestId]) -> Result<()> {
    let line = read(tx, others).await?;
    if tx.kept.has::<Deferred>() {
        tx.kept.put(line);
    }
    Ok(())
}

/// Locks a party and everybody who waits.
pub(super) async fn lock_with(tx: &mut Tx<'_>, id: GuestId) -> Result<(GuestRow, Line)> {
    let line = read(tx, &[id]).await?;
    Ok((lock_one(tx, id).await?, line))
}

/// Locks a party, whose row is given as it will be.
pub(super) async fn lock_one(tx: &mut Tx<'_>, id: GuestId) -> Result<GuestRow> {
    let mut row = GuestRow::lock(tx, id).await?;
    let line = tx.kept.get::<Line>();
    if let Some(next) = line.and_then(|line| line.as_it_will_be(&row, tx.now)) {
        tell(tx, row, next.clone())?;
        row = next;
    }
    Ok(row)
}

/// The row of a party that was read, as it will be.
pub(super) fn overlay(tx: &Tx<'_>, row: GuestRow) -> GuestRow {
    let line = tx.kept.get::<Line>();
    line.and_then(|line| line.as_it_will_be(&row, tx.now))
        .unwrap_or(row)
}

/// Whether the transaction has the list in memory, with this party on it.
pub(crate) fn is_in_line(tx: &Tx<'_>, id: GuestId) -> bool {
    tx.kept.get::<Line>().is_some_and(|line| line.has(id))
}

/// Notes that a party's row was written as it will be.
pub(super) fn note_written(tx: &mut Tx<'_>, id: GuestId) {
    let is_moved = |line: &Line| line.moved.contains_key(&id);
    if tx.kept.get::<Line>().as_deref().is_some_and(is_moved)
        && let Some(mut line) = tx.kept.take::<Line>()
    {
        line.moved.remove(&id);
        tx.kept.put(line);
    }
}

/// The order in which the list has these parties, of which the rows may not tell yet.
pub(crate) fn sort_as_in_line<T>(tx: &Tx<'_>, parties: &mut [(GuestId, T)]) {
    if let Some(line) = tx.kept.get::<Line>() {
        let places: HashMap<GuestId, i32> = line
            .entries
            .iter()
            .map(|entry| (entry.id, entry.position))
            .collect();
        parties.sort_by_key(|(id, _)| places.get(id).copied().unwrap_or(i32::MAX));
    }
}

/// Locks and reads the list, unless the transaction has it, and locks `others`, by id.
async fn read(tx: &mut Tx<'_>, others: &[GuestId]) -> Result<Line> {
    let waits = guests::finished_time
        .is_null()
        .and(guests::wait_position.is_not_null());
    let known = tx.kept.get::<Line>();
    let others: Vec<GuestId> = match &known {
        Some(line) => others.iter().copied().filter(|id| !line.has(*id)).collect(),
        None => others.to_vec(),
    };
    if let Some(line) = known {
        if !others.is_empty() {
            guests::table
                .filter(guests::restaurant_id.eq(tx.restaurant_id()))
                .filter(guests::id.eq_any(others))
                .order(guests::id)
                .select(guests::id)
                .for_update()
                .load::<GuestId>(tx.conn)
                .await?;
        }
        return Ok(Line::clone(&line));
    }
    let rows = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::id.eq_any(others).or(waits))
        .order(guests::id)
        .select((
            guests::id,
            guests::wait_position,
            guests::queue_time,
            guests::check_in_time,
            guests::last_updated,
        ))
        .for_update()
        .load::<Row>(tx.conn)
        .await?;
    Ok(Line::new(rows))
}

/// The columns of an [`Entry`]; of one that does not wait, too.
type Row = (
    GuestId,
    Option<i32>,
    Option<DateTime<Utc>>,
    DateTime<Utc>,
    DateTime<Utc>,
);

/// A place on the list, and the time that orders it.
pub(super) type Place = (i32, DateTime<Utc>);

/// Puts a new party behind the last who waits; it is the last then.
pub(super) fn stand_behind(row: &mut GuestRow, last: Option<Place>) -> Option<Place> {
    row.wait_position = Some(1);
    if let Some((position, before)) = last {
        row.wait_position = Some(position.saturating_add(1));
        // Workers' clocks differ a little: whoever comes later stands behind all the same.
        row.queue_time = (before >= row.check_in_time).then_some(before + TICK);
    }
    Entry::of(row).map(|entry| (entry.position, rank(&entry)))
}

/// Notes that a new party is on the list, once its row is there.
pub(super) fn note_appended(tx: &mut Tx<'_>, rows: &[GuestRow]) {
    if let Some(mut line) = tx.kept.take::<Line>() {
        line.entries.extend(rows.iter().filter_map(Entry::of));
        tx.kept.put(line);
    }
}

/// Where the last stands who waits. The restaurant's row is locked.
pub(super) async fn last(tx: &mut Tx<'_>) -> Result<Option<Place>> {
    if let Some(line) = tx.kept.get::<Line>() {
        let last = line.entries.last();
        return Ok(last.map(|last| (last.position, rank(last))));
    }
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
    Ok(last.map(|(position, queue_time, came)| (position, queue_time.unwrap_or(came))))
}

impl Entry {
    /// `None` for a party that does not wait.
    fn of(row: &GuestRow) -> Option<Self> {
        Some(Self {
            id: row.id,
            position: row.wait_position?,
            queue_time: row.queue_time,
            check_in_time: row.check_in_time,
            last_updated: row.last_updated,
        })
    }
}

impl Line {
    /// Rows of those who wait, and perhaps of others, in any order.
    fn new(rows: Vec<Row>) -> Self {
        let rows = rows.into_iter();
        let mut entries: Vec<Entry> = rows
            .filter_map(|(id, position, queue_time, check_in_time, last_updated)| {
                Some(Entry {
                    id,
                    position: position?,
                    queue_time,
                    check_in_time,
                    last_updated,
                })
            })
            .collect();
        entries.sort_by_key(|entry| (entry.position, rank(entry), entry.id));
        Self {
            entries,
            moved: HashMap::new(),
        }
    }

    fn has(&self, id: GuestId) -> bool {
        self.entries.iter().any(|entry| entry.id == id)
    }

    /// Puts the party, whose row is about to be written, where it shall be. The others whose places
    /// change by that are noted.
    pub(super) fn arrange(&mut self, own: &mut GuestRow, goal: Goal) {
        self.moved.remove(&own.id);
        self.entries.retain(|entry| entry.id != own.id);
        let mut ranks: Vec<DateTime<Utc>> = self.entries.iter().map(rank).collect();
        spread(&mut ranks);
        let own_rank = own.queue_time.unwrap_or(own.check_in_time);
        let index = match goal {
            Goal::Off => None,
            Goal::To(place) => {
                let index = usize::try_from(place.saturating_sub(1)).unwrap_or(0);
                Some(index.min(ranks.len()))
            }
            Goal::Back => Some(ranks.partition_point(|other| *other <= own_rank)),
        };
        own.wait_position = None;
        if let Some(index) = index {
            let wanted = between(&ranks, index, own_rank);
            ranks.insert(index, wanted);
            spread(&mut ranks);
            own.wait_position = Some(0);
            if let Some(entry) = Entry::of(own) {
                self.entries.insert(index, entry);
            }
        }
        for (place, (entry, rank)) in (1..).zip(self.entries.iter_mut().zip(ranks)) {
            let queue_time = (rank != entry.check_in_time).then_some(rank);
            if entry.id == own.id {
                (own.wait_position, own.queue_time) = (Some(place), queue_time);
            } else if (entry.position, entry.queue_time) != (place, queue_time) {
                let moved = self.moved.entry(entry.id).or_insert(Moved {
                    position: entry.position,
                    queue_time: entry.queue_time,
                    times: 0,
                });
                moved.times += 1;
            }
            (entry.position, entry.queue_time) = (place, queue_time);
        }
    }

    /// A party's row with the place that it was given since; `None` where that is what it says.
    fn as_it_will_be(&self, row: &GuestRow, now: DateTime<Utc>) -> Option<GuestRow> {
        let moved = self.moved.get(&row.id)?;
        let entry = self.entries.iter().find(|entry| entry.id == row.id)?;
        Some(GuestRow {
            wait_position: Some(entry.position),
            queue_time: entry.queue_time,
            version: row.version + moved.times,
            last_updated: now,
            ..row.clone()
        })
    }
}

/// The time that orders a party.
fn rank(entry: &Entry) -> DateTime<Utc> {
    entry.queue_time.unwrap_or(entry.check_in_time)
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

/// Keeps a list on which parties were moved, whose own rows are written: in memory where more is to
/// come, or in their rows, and then tells of each.
pub(super) async fn save(tx: &mut Tx<'_>, line: Line) -> Result<()> {
    if tx.kept.has::<Deferred>() {
        tx.kept.put(line);
        return Ok(());
    }
    write(tx, &line).await
}

async fn write(tx: &mut Tx<'_>, line: &Line) -> Result<()> {
    if line.moved.is_empty() {
        return Ok(());
    }
    let mut statement = Move {
        restaurant_id: tx.restaurant_id(),
        now: tx.now,
        ids: Vec::new(),
        positions: Vec::new(),
        queue_times: Vec::new(),
        times: Vec::new(),
        columns: <GuestRow as Selectable<Pg>>::construct_selection(),
    };
    let mut before = Vec::new();
    for entry in &line.entries {
        if let Some(moved) = line.moved.get(&entry.id) {
            statement.ids.push(entry.id);
            statement.positions.push(entry.position);
            statement.queue_times.push(entry.queue_time);
            statement.times.push(moved.times);
            before.push((entry, moved));
        }
    }
    let rows: Vec<GuestRow> = statement.load(tx.conn).await?;
    let mut rows: HashMap<GuestId, GuestRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    for (entry, moved) in before {
        let row = rows.remove(&entry.id).ok_or(Error::Contended)?;
        let before = GuestRow {
            wait_position: Some(moved.position),
            queue_time: moved.queue_time,
            version: row.version - moved.times,
            last_updated: entry.last_updated,
            ..row.clone()
        };
        tell(tx, before, row)?;
    }
    Ok(())
}

/// Tells of a party whose place changed by somebody else's move.
fn tell(tx: &mut Tx<'_>, before: GuestRow, row: GuestRow) -> Result<()> {
    let [before, party] = [before, row].map(|row| row.at(Vec::new()));
    party.tell_changed(tx, &before)?;
    Ok(())
}

/// Gives parties their places, in one statement, and returns their rows.
#[derive(QueryId)]
struct Move {
    restaurant_id: RestaurantId,
    now: DateTime<Utc>,
    ids: Vec<GuestId>,
    positions: Vec<i32>,
    queue_times: Vec<Option<DateTime<Utc>>>,
    times: Vec<i32>,
    columns: <GuestRow as Selectable<Pg>>::SelectExpression,
}

impl QueryFragment<Pg> for Move {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE guests SET wait_position = moved.place, queue_time = moved.at, ");
        out.push_sql("version = version + moved.times, last_updated = ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.positions)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&self.queue_times)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.times)?;
        out.push_sql(") AS moved (id, place, at, times) WHERE guests.restaurant_id = ");
        out.push_bind_param::<SqlUuid, _>(&self.restaurant_id)?;
        out.push_sql(" AND guests.id = moved.id RETURNING ");
        self.columns.walk_ast(out.reborrow())
    }
}

impl Query for Move {
    type SqlType = <<GuestRow as Selectable<Pg>>::SelectExpression as Expression>::SqlType;
}

#[cfg(test)]
mod tests;

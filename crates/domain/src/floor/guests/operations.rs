//! What can be done with a party.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::floor::guests::{Guest, GuestStatus, UpdateGuest};
use wire::{ErrorCode, GuestId, ReservationId, RestaurantId, TableId};

use super::before::look;
use super::create::total_visits;
use super::erasure::rows;
use super::input::{check_patch, patched};
use super::row::{GuestRow, Party, its_tables};
use super::waiting::{self, Goal, Line};
use super::{own, rules};
use crate::db::Tx;
use crate::floor::seating::{self, Locked};
use crate::floor::sitting::{self, Sits};
use crate::floor::{reservations, reserved};
use crate::record::{Record, Stored};
use crate::rooms::GO_ALONG;
use crate::schema::guests;
use crate::venue::restaurants;
use crate::{Error, Result};

/// One party.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: GuestId,
) -> Result<Guest> {
    let (row, tables) = guests::table
        .find((restaurant, id))
        .select((GuestRow::as_select(), its_tables()))
        .first::<(GuestRow, Vec<TableId>)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("guest"))?;
    Ok(row.with_tables(tables))
}

/// The parties among some ids, as they will be when the transaction has written what it has in
/// memory.
pub(crate) async fn among(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Guest>> {
    let rows = rows(tx.conn, tx.restaurant_id(), ids).await?.into_iter();
    let guests = rows.map(|(row, tables)| waiting::overlay(tx, row).with_tables(tables));
    Ok(guests.collect())
}

/// Why a party leaves its table: whether it has to be cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// They sat and ate.
    Used,
    /// They were seated by mistake.
    Undone,
}

/// Changes a party: the fields that are present. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `invalid_transition`,
/// `table_occupied`, `party_too_large`, `forbidden`.
pub async fn update(
    tx: &mut Tx<'_>,
    id: GuestId,
    patch: &UpdateGuest,
    version: Option<i32>,
) -> Result<Guest> {
    let wanted = check_patch(patch)?;
    let moves = patch.status.is_some() || wanted.is_some();
    let mut is_queue_changed = patch.wait_position.is_some();
    // Who is on a list that the transaction has holds no table, and is locked.
    let (mut locked, expected) = if moves || (is_queue_changed && !waiting::is_in_line(tx, id)) {
        let before = look(tx, id).await?;
        is_queue_changed = before.is_queue_changed(patch, wanted.as_deref());
        if is_queue_changed {
            restaurants::lock(tx).await?;
        }
        let wanted = wanted.iter().flatten();
        let all: Vec<TableId> = before.tables().chain(wanted).copied().collect();
        (seating::lock(tx, &all).await?, Some(before))
    } else {
        (Locked::default(), None)
    };
    let (row, line) = lock_in_line(tx, id, is_queue_changed).await?;
    let held = if row.status == GuestStatus::Seated {
        seating::held(tx, id).await?
    } else {
        Vec::new()
    };
    if expected.is_some_and(|before| (before.status, &before.held) != (row.status, &held)) {
        return Err(Error::Contended);
    }
    let before = row.at(held);
    before.check_version(version, tx.now)?;
    let Party { row, tables: held } = &before;

    let place = rules::place(row.status, held, patch.status, wanted.as_deref())?;
    let mut next = patched(row, patch)?;
    step(tx, row, &mut next, place.status).await?;
    next.keep_time(tx.now);
    let line = arrange(line, row, &mut next, patch.wait_position)?;
    if next.phone != row.phone {
        next.total_visits = total_visits(tx, id, next.phone.as_deref()).await?;
    }
    if next.party_size > row.party_size && !moves {
        locked = seating::look(tx, held).await?;
    }
    if place.tables != *held || next.party_size > row.party_size {
        locked.check_can_seat(
            tx.actor(),
            id,
            next.party_size,
            &place.tables,
            patch.allow_over_capacity,
        )?;
    }
    let next = next.at(place.tables);
    if next == before {
        return next.shown(tx.now);
    }
    let guest = save(tx, &before, next, locked).await?;
    if let Some(line) = line {
        waiting::save(tx, line).await?;
    }
    Ok(guest)
}

/// Puts a party where it shall stand on the waiting list; `None` where that stays as it is.
fn arrange(
    line: Option<Line>,
    row: &GuestRow,
    next: &mut GuestRow,
    place: Option<i32>,
) -> Result<Option<Line>> {
    let Some(mut line) = line else {
        return Ok(None);
    };
    let goal = match (next.status.is_waiting(), place) {
        (false, None) => Goal::Off,
        (true, Some(place)) => Goal::To(place),
        (true, None) if row.status.is_waiting() => return Ok(None),
        (true, None) => Goal::Back,
        (false, Some(_)) => {
            let sentence = "only a party that waits has a place on the list";
            return Err(Error::invalid("waitPosition", sentence));
        }
    };
    line.arrange(next, goal);
    Ok(Some(line))
}

/// What time brings to a party that is due; all that it touches is locked.
pub(crate) async fn pass_time(tx: &mut Tx<'_>, id: GuestId, late: GuestStatus) -> Result<()> {
    let row = waiting::lock_one(tx, id).await?;
    if row.due_at.is_none_or(|due| tx.now < due) {
        return Ok(());
    }
    if row.has_not_come(tx.now) {
        let patch = UpdateGuest {
            status: Some(late),
            ..UpdateGuest::default()
        };
        update(tx, id, &patch, None).await?;
        return Ok(());
    }
    let mut next = row.clone();
    next.keep_time(tx.now);
    let [before, next] = [row, next].map(|row| row.at(Vec::new()));
    save(tx, &before, next, Locked::default()).await?;
    Ok(())
}

/// Removes a party that was taken down by mistake; frees its table.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`].
pub async fn delete(tx: &mut Tx<'_>, id: GuestId, version: Option<i32>) -> Result<()> {
    let before = look(tx, id).await?;
    if before.status.is_waiting() {
        restaurants::lock(tx).await?;
    }
    let all: Vec<TableId> = before.tables().copied().collect();
    let locked = seating::lock(tx, &all).await?;
    let (mut row, line) = lock_in_line(tx, id, before.status.is_waiting()).await?;
    let held = seating::held(tx, id).await?;
    if (row.status, &held) != (before.status, &before.held) {
        return Err(Error::Contended);
    }
    let party = row.clone().at(held.clone());
    party.check_version(version, tx.now)?;
    seating::apply(tx, locked, id, &held, &[], Leave::Undone).await?;
    if let Some(reservation) = row.reservation_id {
        reservations::forget_guest(tx, reservation, id).await?;
    }
    let gone = party.clone().shown(tx.now)?;
    party.remove(tx).await?;
    if let Some(mut line) = line {
        line.arrange(&mut row, Goal::Off);
        waiting::save(tx, line).await?;
    }
    reserved::settle(tx, &held, &[]).await?;
    let sat = Sits::at(gone.status, &held);
    sitting::go_along(tx, GO_ALONG, &gone, sat, Sits::NOWHERE).await
}

/// Ends the visit of a party whose table is cleared. The tables that it held when they were looked
/// up are locked already.
pub(crate) async fn leave_tables(
    tx: &mut Tx<'_>,
    locked: Locked,
    expected: &[TableId],
    id: GuestId,
) -> Result<()> {
    let row = waiting::lock_one(tx, id).await?;
    let held = seating::held(tx, id).await?;
    if held != expected {
        return Err(Error::Contended);
    }
    let mut next = row.clone();
    step(tx, &row, &mut next, GuestStatus::Completed).await?;
    next.keep_time(tx.now);
    save(tx, &row.at(held), next.at(Vec::new()), locked).await?;
    Ok(())
}

/// Writes a changed party and what that does to tables, and tells.
async fn save(tx: &mut Tx<'_>, before: &Party, mut next: Party, locked: Locked) -> Result<Guest> {
    next.row.write(tx).await?;
    waiting::note_written(tx, next.row.id);
    let leave = if next.row.status.is_waiting() {
        Leave::Undone
    } else {
        Leave::Used
    };
    let guest = next.tell_changed(tx, before)?;
    let held = &before.tables;
    seating::apply(tx, locked, guest.id, held, &guest.table_ids, leave).await?;
    let is_elsewhere = guest.status != before.row.status || guest.table_ids != *held;
    if let Some(reservation) = guest.reservation_id
        && is_elsewhere
    {
        reservations::follow_guest(tx, reservation, &guest).await?;
    }
    let is_freed = |table: &&TableId| !guest.table_ids.contains(table);
    let freed: Vec<TableId> = held.iter().filter(is_freed).copied().collect();
    reserved::settle(tx, &freed, &[]).await?;
    let sat = Sits::at(before.row.status, held);
    let sits = Sits::at(guest.status, &guest.table_ids);
    sitting::go_along(tx, GO_ALONG, &guest, sat, sits).await?;
    Ok(guest)
}

/// Notes from which booking a party comes, or that it comes from none. It is locked already.
pub(crate) async fn link(
    tx: &mut Tx<'_>,
    id: GuestId,
    reservation: Option<ReservationId>,
) -> Result<Guest> {
    let row = waiting::lock_one(tx, id).await?;
    let held = seating::held(tx, id).await?;
    if row.reservation_id == reservation {
        return Ok(row.with_tables(held));
    }
    if reservation.is_some() && (row.reservation_id.is_some() || row.status.is_finished()) {
        let sentence = "This party has left, or comes from another booking.";
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    let before = row.at(held);
    let mut next = before.clone();
    next.row.reservation_id = reservation;
    if next.row.secret_hash.is_none() {
        next.row.secret_hash = own::secret_of_booking(tx, reservation).await?;
    }
    next.row.write(tx).await?;
    waiting::note_written(tx, id);
    next.tell_changed(tx, &before)
}

/// Locks a party's row, before its booking's.
pub(crate) async fn lock_row(tx: &mut Tx<'_>, id: GuestId) -> Result<GuestStatus> {
    Ok(waiting::lock_one(tx, id).await?.status)
}

/// Locks a party's row and, where the list changes, those of all who wait.
async fn lock_in_line(
    tx: &mut Tx<'_>,
    id: GuestId,
    is_line_changed: bool,
) -> Result<(GuestRow, Option<Line>)> {
    if !is_line_changed {
        return Ok((waiting::lock_one(tx, id).await?, None));
    }
    let (row, line) = waiting::lock_with(tx, id).await?;
    Ok((row, Some(line)))
}

/// What going from one status to another does to times.
async fn step(tx: &mut Tx<'_>, row: &GuestRow, next: &mut GuestRow, to: GuestStatus) -> Result<()> {
    if row.status == to {
        return Ok(());
    }
    next.status = to;
    match to {
        GuestStatus::Notified => {
            let calendar = restaurants::calendar_in(tx).await?;
            next.notify(tx.now, calendar.settings.floor.notified_timeout_minutes);
        }
        // Whoever was told and did not come was told all the same.
        GuestStatus::Waiting if !row.has_not_come(tx.now) => next.notified_at = None,
        GuestStatus::Seated if row.status.is_waiting() => next.measure_wait(tx.now),
        _ => {}
    }
    next.finished_time = to.is_finished().then_some(tx.now);
    match to {
        GuestStatus::Seated => next.seated_time = Some(row.seated_time.unwrap_or(tx.now)),
        GuestStatus::Waiting | GuestStatus::Notified => next.seated_time = None,
        GuestStatus::Completed | GuestStatus::Cancelled | GuestStatus::NoShow => {}
    }
    Ok(())
}

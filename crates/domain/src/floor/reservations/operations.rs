//! What can be done with a booking.

use chrono::TimeDelta;
use diesel_async::AsyncPgConnection;
use wire::floor::reservations::{
    CreateReservation, Reservation, ReservationStatus, UpdateReservation,
};
use wire::patch::given;
use wire::{GuestId, ReservationId, RestaurantId, TableId};

use super::input::{check_new, check_patch, check_time, fresh, patched};
use super::row::ReservationRow;
use super::rules;
use super::with_guest::settle;
use crate::checks::Checks;
use crate::clock::new_id;
use crate::db::Tx;
use crate::floor::availability::{Wish, choose};
use crate::floor::occupancy::{self, Claimant};
use crate::floor::seating::{self, Locked};
use crate::floor::{guests, holds, reserved};
use crate::record::{Record, Stored};
use crate::venue::restaurants;
use crate::{Error, Result};

/// One booking.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: ReservationId,
) -> Result<Reservation> {
    Ok(ReservationRow::find(conn, restaurant, id).await?.into())
}

/// Makes a booking: at the tables that are named, at those of a hold, or at the house's choice.
///
/// # Errors
/// [`Error::Invalid`], [`Error::NotFound`] for a table or hold; `table_unavailable`,
/// `party_too_large`, `forbidden`.
pub async fn create(tx: &mut Tx<'_>, input: &CreateReservation) -> Result<Reservation> {
    create_as(tx, new_id(), input).await
}

/// The same under an id that a client chose while it was offline.
///
/// # Errors
/// As [`create`]; `conflict` when the id is taken.
pub(crate) async fn create_as(
    tx: &mut Tx<'_>,
    id: ReservationId,
    input: &CreateReservation,
) -> Result<Reservation> {
    let mut checks = Checks::new();
    check_new(&mut checks, input);
    let hold = match input.hold_id {
        Some(id) => Some(holds::find(tx, id).await?),
        None => None,
    };
    let party_size = hold
        .as_ref()
        .map(|hold| hold.party_size)
        .or(input.party_size)
        .unwrap_or(1);
    let minutes = match hold
        .as_ref()
        .map(|hold| hold.duration_minutes)
        .or(input.duration_minutes)
    {
        Some(minutes) => minutes,
        None => restaurants::calendar_in(tx)
            .await?
            .settings
            .floor
            .turn_minutes(party_size),
    };
    let time = hold
        .as_ref()
        .map(|hold| hold.reservation_time)
        .or(input.reservation_time);
    let time = check_time(&mut checks, time, minutes, tx.now);
    checks.finish()?;
    let wish = Wish {
        party_size,
        time,
        duration: TimeDelta::minutes(minutes.into()),
    };

    let asked = hold
        .map(|hold| hold.table_ids)
        .or_else(|| input.table_ids.clone());
    let is_chosen = asked.is_none();
    let table_ids = match asked {
        Some(tables) => tables,
        None => choose(tx, &wish).await?,
    };
    let locked = seating::lock(tx, &table_ids).await?;
    match input.hold_id {
        Some(hold) => holds::delete(tx, hold).await?,
        None => locked.check_bookable(
            tx.actor(),
            party_size,
            &table_ids,
            input.allow_over_capacity,
        )?,
    }
    occupancy::check_free(tx, &locked, &table_ids, &wish)
        .await
        .map_err(|error| holds::again_if_chosen(error, is_chosen))?;
    let row = ReservationRow {
        party_size,
        reservation_time: time,
        duration_minutes: minutes,
        status: input.status.unwrap_or(ReservationStatus::Confirmed),
        table_ids,
        ..patched(&fresh(tx, id), &input.clone().into())?
    };
    row.insert(tx.conn).await?;
    occupancy::claim(tx, Claimant::Reservation(row.id), &row.table_ids, &wish).await?;
    reserved::settle(tx, &row.table_ids, &[]).await?;
    row.tell_created(tx)
}

/// Changes a booking: the fields that are present. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `invalid_transition`,
/// `table_unavailable`, `party_too_large`, `forbidden`; `table_occupied` when it is to be seated.
pub async fn update(
    tx: &mut Tx<'_>,
    id: ReservationId,
    patch: &UpdateReservation,
    version: Option<i32>,
) -> Result<Reservation> {
    let mut checks = Checks::new();
    check_patch(&mut checks, patch);
    checks.finish()?;
    let wanted = given(&patch.table_ids);
    let is_timed = patch.reservation_time.is_some() || patch.duration_minutes.is_some();
    let moves = is_timed
        || patch.status.is_some()
        || patch.table_ids.is_some()
        || patch.party_size.is_some();
    let (row, locked) = if moves {
        lock(tx, id, wanted.unwrap_or_default(), None).await?
    } else {
        (ReservationRow::lock(tx, id).await?, Locked::default())
    };
    row.check_version(version, tx.now)?;
    let mut next = patched(&row, patch)?;
    if is_timed {
        let mut checks = Checks::new();
        let minutes = patch.duration_minutes.unwrap_or(row.duration_minutes);
        let time = patch.reservation_time.unwrap_or(row.reservation_time);
        if (time, minutes) != (row.reservation_time, row.duration_minutes) {
            next.reservation_time = check_time(&mut checks, Some(time), minutes, tx.now);
            next.duration_minutes = minutes;
        }
        checks.finish()?;
    }
    next.status = patch.status.unwrap_or(row.status);
    rules::check_transition(row.status, next.status)?;
    let is_restored = row.status.is_finished() && !next.status.is_finished();
    if next.table_ids != row.table_ids || next.party_size > row.party_size || is_restored {
        locked.check_bookable(
            tx.actor(),
            next.party_size,
            &next.table_ids,
            patch.allow_over_capacity,
        )?;
    }
    settle(tx, &locked, &row, next, patch.allow_over_capacity).await
}

/// Calls a booking off. It stays as history, and gives its tables back; a party that was checked
/// in has left. One that is called off already stays as it is.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; `invalid_transition` when the party sits, or has eaten.
pub async fn cancel(
    tx: &mut Tx<'_>,
    id: ReservationId,
    version: Option<i32>,
) -> Result<Reservation> {
    let (row, locked) = lock(tx, id, &[], None).await?;
    row.check_version(version, tx.now)?;
    rules::check_transition(row.status, ReservationStatus::Cancelled)?;
    let next = ReservationRow {
        status: ReservationStatus::Cancelled,
        ..row.clone()
    };
    settle(tx, &locked, &row, next, false).await
}

/// Locks a booking and all that goes with it, in the one order: its tables and those that are
/// wanted, its party (or the one that shall become it), itself.
pub(super) async fn lock(
    tx: &mut Tx<'_>,
    id: ReservationId,
    wanted: &[TableId],
    party: Option<GuestId>,
) -> Result<(ReservationRow, Locked)> {
    // Its party may come to the waiting list, or leave it.
    restaurants::lock(tx).await?;
    let restaurant = tx.restaurant_id();
    let expected = ReservationRow::find(tx.conn, restaurant, id).await?;
    let mut parties: Vec<GuestId> = expected.guest_id.into_iter().chain(party).collect();
    parties.sort_unstable();
    parties.dedup();
    let mut tables = expected.table_ids.clone();
    tables.extend(wanted);
    for party in &parties {
        tables.extend(seating::held(tx, *party).await?);
    }
    let locked = seating::lock(tx, &tables).await?;
    guests::lock_queue(tx, &parties).await?;
    let row = ReservationRow::lock(tx, id).await?;
    if (&row.table_ids, row.guest_id) != (&expected.table_ids, expected.guest_id) {
        return Err(Error::Contended);
    }
    Ok((row, locked))
}

/// How a changed booking takes its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claiming {
    /// All of them, or it is refused.
    All,
    /// Those that are free: the party is here, whatever the book says.
    Free,
}

/// Writes a changed booking and what that does to its tables' time, and tells; does nothing where
/// nothing changed.
pub(super) async fn save(
    tx: &mut Tx<'_>,
    locked: &Locked,
    row: &ReservationRow,
    mut next: ReservationRow,
    claiming: Claiming,
) -> Result<Reservation> {
    if next == *row {
        return Ok(next.into());
    }
    let released = occupy(tx, locked, row, &next, claiming).await?;
    next.write(tx).await?;
    reserved::settle(tx, &next.table_ids, &released).await?;
    next.tell_changed(tx, row)
}

/// Returns the tables that are not kept for it any more.
async fn occupy(
    tx: &mut Tx<'_>,
    locked: &Locked,
    row: &ReservationRow,
    next: &ReservationRow,
    claiming: Claiming,
) -> Result<Vec<TableId>> {
    let times = |row: &ReservationRow| (row.reservation_time, row.duration_minutes);
    let moved = next.table_ids != row.table_ids || times(next) != times(row);
    let is_seated_now = next.status == ReservationStatus::Seated && row.status != next.status;
    let released = match (row.status.is_finished(), next.status.is_finished()) {
        (true, true) => return Ok(Vec::new()),
        (false, true) => return occupancy::release(tx, row.id).await,
        // Its tables stay taken; one that sits is not expected at them any more.
        (false, false) if !moved && is_seated_now => {
            return Ok(row.table_ids.clone());
        }
        (false, false) if !moved => return Ok(Vec::new()),
        _ => occupancy::release(tx, row.id).await?,
    };
    let (claimant, wish) = (Claimant::Reservation(row.id), next.wish());
    if claiming == Claiming::All {
        occupancy::check_free(tx, locked, &next.table_ids, &wish).await?;
        occupancy::claim(tx, claimant, &next.table_ids, &wish).await?;
        return Ok(released);
    }
    let start = if next.status == ReservationStatus::Seated {
        tx.now
    } else {
        wish.time
    };
    let end = wish.until().max(start + TimeDelta::minutes(15));
    // One that is off the floor plan by now is nobody's.
    let there = seating::look(tx, &next.table_ids).await?;
    let tables: Vec<TableId> = next
        .table_ids
        .iter()
        .copied()
        .filter(|table| there.table(*table).is_ok())
        .collect();
    occupancy::claim_free(tx, claimant, &tables, &(start..end)).await?;
    Ok(released)
}

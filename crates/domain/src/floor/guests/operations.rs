//! What can be done with a party.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::guests::{CreateGuest, Guest, GuestStatus, UpdateGuest};
use wire::live::events::{Action, EventKind, Gone};
use wire::{ErrorCode, GuestId, ReservationId, RestaurantId, TableId};

use super::input::{check_new, check_patch, new_row, patched};
use super::row::{GuestRow, its_tables};
use super::rules::{self, Place};
use crate::clock::new_id;
use crate::db::Tx;
use crate::error::broken_constraint;
use crate::floor::seating::{self, Locked};
use crate::floor::{check_version, reservations};
use crate::schema::guests;
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

/// Takes a party down; with a table, seats it at once.
///
/// # Errors
/// [`Error::Invalid`]; `table_occupied`, `party_too_large` when it cannot sit there.
pub async fn create(tx: &mut Tx<'_>, input: &CreateGuest) -> Result<Guest> {
    create_as(tx, new_id(), input, None).await
}

/// The same under an id that a client chose while it was offline, or for a party that comes from a
/// booking.
///
/// # Errors
/// As [`create`]; `conflict` when the id is taken.
pub(in crate::floor) async fn create_as(
    tx: &mut Tx<'_>,
    id: GuestId,
    input: &CreateGuest,
    reservation: Option<ReservationId>,
) -> Result<Guest> {
    let wanted = check_new(input)?;
    let status = match input.status {
        None if wanted.is_empty() => GuestStatus::Waiting,
        None => GuestStatus::Seated,
        Some(status) => status,
    };
    if status.is_finished() {
        return Err(Error::invalid(
            "status",
            "a new party is waiting, notified or seated",
        ));
    }
    let place = rules::place(GuestStatus::Waiting, &[], Some(status), Some(&wanted))?;
    let locked = seating::lock(tx, &place.tables).await?;

    let mut row = new_row(tx, id, input);
    row.status = place.status;
    row.reservation_id = reservation;
    row.total_visits = total_visits(tx, row.id, row.phone.as_deref()).await?;
    if status.is_waiting() {
        row.wait_position = Some(next_wait_position(tx).await?);
    } else {
        row.seated_time = Some(tx.now);
    }
    locked.check_can_seat(
        tx.actor(),
        row.id,
        row.party_size,
        &place.tables,
        input.allow_over_capacity,
    )?;
    diesel::insert_into(guests::table)
        .values(&row)
        .execute(tx.conn)
        .await
        .map_err(|error| match broken_constraint(&error) {
            Some("guests_pkey") => Error::refused(
                ErrorCode::Conflict,
                "There is a party with this id already.",
            ),
            _ => error.into(),
        })?;
    let guest = row.with_tables(place.tables);
    tx.tell(EventKind::GuestCreated, guest.id.0, Action::Created, &guest)?;
    seating::apply(tx, locked, guest.id, &[], &guest.table_ids, Leave::Undone).await?;
    Ok(guest)
}

/// Why a party leaves its table: whether it has to be cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::floor) enum Leave {
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
    // Tables are locked before guests, so which tables the party holds is looked up first and
    // looked up again once they are locked.
    let moves = patch.status.is_some() || wanted.is_some();
    let (mut locked, expected) = if moves {
        let held = seating::held(tx, id).await?;
        let wanted = wanted.as_deref().unwrap_or_default();
        let all: Vec<TableId> = held.iter().chain(wanted).copied().collect();
        (seating::lock(tx, &all).await?, held)
    } else {
        (Locked::default(), Vec::new())
    };
    let row = lock(tx, id).await?;
    let held = if row.status == GuestStatus::Seated {
        seating::held(tx, id).await?
    } else {
        Vec::new()
    };
    if moves && held != expected {
        return Err(Error::Contended);
    }
    check_version(version, row.version, || {
        row.clone().with_tables(held.clone())
    })?;

    let place = rules::place(row.status, &held, patch.status, wanted.as_deref())?;
    let mut next = patched(&row, patch)?;
    step(tx, &row, &mut next, place.status).await?;
    if next.phone != row.phone {
        next.total_visits = total_visits(tx, id, next.phone.as_deref()).await?;
    }
    if next.party_size > row.party_size && !moves {
        locked = seating::look(tx, &held).await?;
    }
    if place.tables != held || next.party_size > row.party_size {
        locked.check_can_seat(
            tx.actor(),
            id,
            next.party_size,
            &place.tables,
            patch.allow_over_capacity,
        )?;
    }
    if next == row && place.tables == held {
        return Ok(row.with_tables(held));
    }
    save(tx, &row, next, held, place, locked).await
}

/// Removes a party that was taken down by mistake; frees its table.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`].
pub async fn delete(tx: &mut Tx<'_>, id: GuestId, version: Option<i32>) -> Result<()> {
    let expected = seating::held(tx, id).await?;
    let locked = seating::lock(tx, &expected).await?;
    let row = lock(tx, id).await?;
    let held = seating::held(tx, id).await?;
    if held != expected {
        return Err(Error::Contended);
    }
    check_version(version, row.version, || {
        row.clone().with_tables(held.clone())
    })?;
    seating::apply(tx, locked, id, &held, &[], Leave::Undone).await?;
    if let Some(reservation) = row.reservation_id {
        reservations::forget_guest(tx, reservation, id).await?;
    }
    diesel::delete(guests::table.find((tx.restaurant_id(), id)))
        .execute(tx.conn)
        .await?;
    let gone = Gone {
        id: id.0,
        version: row.version + 1,
    };
    tx.tell(EventKind::GuestDeleted, id.0, Action::Deleted, &gone)
}

/// Ends the visit of a party whose table is cleared. The tables that it held when they were looked
/// up are locked already.
pub(in crate::floor) async fn leave_tables(
    tx: &mut Tx<'_>,
    locked: Locked,
    expected: &[TableId],
    id: GuestId,
) -> Result<()> {
    let row = lock(tx, id).await?;
    let held = seating::held(tx, id).await?;
    if held != expected {
        return Err(Error::Contended);
    }
    let mut next = row.clone();
    let place = Place {
        status: GuestStatus::Completed,
        tables: Vec::new(),
    };
    step(tx, &row, &mut next, place.status).await?;
    save(tx, &row, next, held, place, locked).await?;
    Ok(())
}

/// Writes a changed party and what that does to tables, and tells.
async fn save(
    tx: &mut Tx<'_>,
    row: &GuestRow,
    mut next: GuestRow,
    held: Vec<TableId>,
    place: Place,
    locked: Locked,
) -> Result<Guest> {
    next.version += 1;
    next.last_updated = tx.now;
    diesel::update(guests::table.find((tx.restaurant_id(), row.id)))
        .set(&next)
        .execute(tx.conn)
        .await?;
    let action = if next.status != row.status {
        Action::StatusChanged
    } else if place.tables == held {
        Action::InfoUpdated
    } else if place.tables.is_empty() {
        Action::TableCleared
    } else {
        Action::TableAssigned
    };
    let is_undone = next.status.is_waiting();
    let guest = next.with_tables(place.tables);
    tx.tell(EventKind::GuestUpdated, guest.id.0, action, &guest)?;
    let leave = if is_undone {
        Leave::Undone
    } else {
        Leave::Used
    };
    seating::apply(tx, locked, guest.id, &held, &guest.table_ids, leave).await?;
    let is_elsewhere = guest.status != row.status || guest.table_ids != held;
    if let Some(reservation) = guest.reservation_id
        && is_elsewhere
    {
        reservations::follow_guest(tx, reservation, &guest).await?;
    }
    Ok(guest)
}

/// Notes from which booking a party comes, or that it comes from none. It is locked already.
pub(in crate::floor) async fn link(
    tx: &mut Tx<'_>,
    id: GuestId,
    reservation: Option<ReservationId>,
) -> Result<Guest> {
    let mut row = lock(tx, id).await?;
    let held = seating::held(tx, id).await?;
    if row.reservation_id == reservation {
        return Ok(row.with_tables(held));
    }
    if reservation.is_some() && (row.reservation_id.is_some() || row.status.is_finished()) {
        let sentence = "This party has left, or comes from another booking.";
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    row.reservation_id = reservation;
    row.version += 1;
    row.last_updated = tx.now;
    diesel::update(guests::table.find((tx.restaurant_id(), id)))
        .set(&row)
        .execute(tx.conn)
        .await?;
    let guest = row.with_tables(held);
    tx.tell(EventKind::GuestUpdated, id.0, Action::InfoUpdated, &guest)?;
    Ok(guest)
}

/// Locks a party's row, before its booking's.
pub(in crate::floor) async fn lock_row(tx: &mut Tx<'_>, id: GuestId) -> Result<GuestStatus> {
    Ok(lock(tx, id).await?.status)
}

async fn lock(tx: &mut Tx<'_>, id: GuestId) -> Result<GuestRow> {
    guests::table
        .find((tx.restaurant_id(), id))
        .select(GuestRow::as_select())
        .for_update()
        .first(tx.conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("guest"))
}

/// What going from one status to another does to times and to the waiting list.
async fn step(tx: &mut Tx<'_>, row: &GuestRow, next: &mut GuestRow, to: GuestStatus) -> Result<()> {
    if row.status == to {
        return Ok(());
    }
    next.status = to;
    next.wait_position = match (row.wait_position, to.is_waiting()) {
        (_, false) => None,
        (Some(position), true) => Some(position),
        (None, true) => Some(next_wait_position(tx).await?),
    };
    next.finished_time = to.is_finished().then_some(tx.now);
    match to {
        GuestStatus::Seated => next.seated_time = Some(row.seated_time.unwrap_or(tx.now)),
        GuestStatus::Waiting | GuestStatus::Notified => next.seated_time = None,
        GuestStatus::Completed | GuestStatus::Cancelled | GuestStatus::NoShow => {}
    }
    Ok(())
}

/// One after the last on the waiting list. Two who come at the same moment may get the same; the
/// time of their check-in then tells who was first.
async fn next_wait_position(tx: &mut Tx<'_>) -> Result<i32> {
    let last = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::finished_time.is_null())
        .select(diesel::dsl::max(guests::wait_position))
        .first::<Option<i32>>(tx.conn)
        .await?;
    Ok(last.unwrap_or(0).saturating_add(1))
}

/// Visits with this telephone number, the present one included.
async fn total_visits(tx: &mut Tx<'_>, id: GuestId, phone: Option<&str>) -> Result<i32> {
    let digits: String = phone
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    if digits.is_empty() {
        return Ok(1);
    }
    let before = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::phone_digits.eq(digits))
        .filter(guests::status.eq(GuestStatus::Completed))
        .filter(guests::id.ne(id))
        .count()
        .get_result::<i64>(tx.conn)
        .await?;
    Ok(i32::try_from(before).unwrap_or(i32::MAX).saturating_add(1))
}

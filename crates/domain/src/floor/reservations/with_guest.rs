//! A booking and the party that it becomes: whatever happens to one of them shows on the other, in
//! the same transaction.

use wire::floor::guests::{CreateGuest, Guest, GuestStatus, UpdateGuest};
use wire::floor::reservations::{CheckIn, Reservation, ReservationStatus, SeatReservation};
use wire::{ErrorCode, GuestId, ReservationId, TableId};

use super::input::check_tables;
use super::operations::{Claiming, lock, save};
use super::row::ReservationRow;
use super::rules::{self, Party};
use crate::checks::Checks;
use crate::clock::new_id;
use crate::db::Tx;
use crate::floor::guests;
use crate::floor::seating::Locked;
use crate::record::Stored;
use crate::{Error, Result};

/// The party is at the host stand: makes it a guest, or links the guest that it is already.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_transition` for a booking that sits or is over; `conflict` for a
/// guest of another booking, or when it has another guest.
pub async fn check_in(tx: &mut Tx<'_>, id: ReservationId, input: &CheckIn) -> Result<Reservation> {
    let (row, locked) = lock(tx, id, &[], input.guest_id).await?;
    let mut next = row.clone();
    next.status = if input.partially {
        ReservationStatus::PartiallyArrived
    } else {
        ReservationStatus::Arrived
    };
    if row.status == ReservationStatus::Seated {
        let sentence = "The party sits already.";
        return Err(Error::refused(ErrorCode::InvalidTransition, sentence));
    }
    rules::check_transition(row.status, next.status)?;
    let Some(guest) = input.guest_id.filter(|guest| row.guest_id != Some(*guest)) else {
        return settle(tx, &locked, &row, next, false).await;
    };
    if row.guest_id.is_some() {
        let sentence = "Another party is checked in for this booking.";
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    let guest = guests::link(tx, guest, Some(id)).await?;
    next.guest_id = Some(guest.id);
    if guest.status == GuestStatus::Seated {
        next.status = ReservationStatus::Seated;
        if !guest.table_ids.is_empty() {
            next.table_ids = guest.table_ids;
        }
    }
    save(tx, &locked, &row, next, Claiming::Free).await
}

/// Seats the party: at the tables that are named, or those that were booked. One that was not
/// checked in is.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] when there is no table; `table_occupied`,
/// `party_too_large`, `invalid_transition`, `forbidden`.
pub async fn seat(
    tx: &mut Tx<'_>,
    id: ReservationId,
    input: &SeatReservation,
) -> Result<Reservation> {
    let mut checks = Checks::new();
    check_tables(&mut checks, input.table_ids.as_deref());
    checks.finish()?;
    let wanted = input.table_ids.as_deref().unwrap_or_default();
    let (row, locked) = lock(tx, id, wanted, None).await?;
    rules::check_transition(row.status, ReservationStatus::Seated)?;
    let mut next = row.clone();
    next.status = ReservationStatus::Seated;
    if let Some(tables) = &input.table_ids {
        next.table_ids.clone_from(tables);
    }
    settle(tx, &locked, &row, next, input.allow_over_capacity).await
}

/// Writes a changed booking and brings its party to where it belongs. Both are locked, and their
/// tables.
pub(super) async fn settle(
    tx: &mut Tx<'_>,
    locked: &Locked,
    row: &ReservationRow,
    mut next: ReservationRow,
    allow_over_capacity: bool,
) -> Result<Reservation> {
    use ReservationStatus as S;
    let is_seated = next.status == S::Seated;
    if is_seated && next.table_ids.is_empty() && row.status != S::Seated {
        let sentence = "choose the table at which the party sits";
        return Err(Error::invalid("tableIds", sentence));
    }
    let times = |row: &ReservationRow| (row.reservation_time, row.duration_minutes);
    let is_moved = next.table_ids != row.table_ids || times(&next) != times(row);
    let claiming = if is_seated || (next.status.is_here() && !is_moved) {
        Claiming::Free
    } else {
        Claiming::All
    };
    let Some(guest) = next.guest_id else {
        if next.status != row.status && (is_seated || next.status.is_here()) {
            let arrival = arrival(&next, allow_over_capacity);
            let guest = guests::create_as(tx, new_id(), &arrival, Some(next.id)).await?;
            next.guest_id = Some(guest.id);
        }
        return save(tx, locked, row, next, claiming).await;
    };
    let party = if next.status == row.status {
        Party::Stays
    } else {
        rules::party(next.status, guests::lock_row(tx, guest).await?)
    };
    if matches!(party, Party::Removed | Party::Forgotten) {
        next.guest_id = None;
    }
    // The booking first: its party's change then finds that it agrees already.
    let tables = is_seated.then(|| next.table_ids.clone());
    let saved = save(tx, locked, row, next, claiming).await?;
    match party {
        Party::Removed => guests::delete(tx, guest, None).await?,
        Party::Forgotten => {
            guests::link(tx, guest, None).await?;
        }
        Party::Becomes(status) => {
            move_guest(tx, guest, Some(status), tables, allow_over_capacity).await?;
        }
        Party::Stays if is_seated && is_moved => {
            move_guest(tx, guest, None, tables, allow_over_capacity).await?;
        }
        Party::Stays => {}
    }
    Ok(saved)
}

async fn move_guest(
    tx: &mut Tx<'_>,
    guest: GuestId,
    status: Option<GuestStatus>,
    tables: Option<Vec<TableId>>,
    allow_over_capacity: bool,
) -> Result<()> {
    let patch = UpdateGuest {
        status,
        table_ids: tables.map(Some),
        allow_over_capacity,
        ..UpdateGuest::default()
    };
    guests::update(tx, guest, &patch, None).await?;
    Ok(())
}

/// The guest that a booking becomes.
fn arrival(row: &ReservationRow, allow_over_capacity: bool) -> CreateGuest {
    let is_seated = row.status == ReservationStatus::Seated;
    CreateGuest {
        guest_name: Some(row.guest_name.clone()),
        party_size: Some(row.party_size),
        phone: row.guest_phone.clone(),
        email: row.guest_email.clone(),
        notes: row.notes.clone(),
        special_requests: row.special_requests.clone(),
        table_ids: is_seated.then(|| row.table_ids.clone()),
        allow_over_capacity,
        ..CreateGuest::default()
    }
}

/// The booking of a party that moved goes with it: seated, at its tables, or over. Its tables and
/// the party are locked.
pub(crate) async fn follow_guest(tx: &mut Tx<'_>, id: ReservationId, guest: &Guest) -> Result<()> {
    let row = ReservationRow::lock(tx, id).await?;
    if row.guest_id != Some(guest.id) {
        return Ok(());
    }
    let mut next = row.clone();
    next.status = rules::followed(row.status, guest.status);
    if guest.status == GuestStatus::Seated && !guest.table_ids.is_empty() {
        next.table_ids.clone_from(&guest.table_ids);
    }
    save(tx, &Locked::default(), &row, next, Claiming::Free).await?;
    Ok(())
}

/// The party was taken down by mistake: its booking is expected again, unless it is over.
pub(crate) async fn forget_guest(tx: &mut Tx<'_>, id: ReservationId, guest: GuestId) -> Result<()> {
    let row = ReservationRow::lock(tx, id).await?;
    if row.guest_id != Some(guest) {
        return Ok(());
    }
    let mut next = row.clone();
    next.guest_id = None;
    if !row.status.is_finished() {
        next.status = ReservationStatus::Confirmed;
    }
    save(tx, &Locked::default(), &row, next, Claiming::Free).await?;
    Ok(())
}

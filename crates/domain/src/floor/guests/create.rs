//! Taking a party down.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::floor::guests::{CreateGuest, Guest, GuestStatus};
use wire::live::events::{Action, EventKind};
use wire::{ErrorCode, GuestId, ReservationId};

use super::input::{check_new, new_row};
use super::operations::Leave;
use super::row::GuestRow;
use super::{queue, rules};
use crate::clock::new_id;
use crate::db::Tx;
use crate::error::broken_constraint;
use crate::floor::{seating, waitlist};
use crate::identity::restaurants;
use crate::schema::guests;
use crate::{Error, Result};

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
    let mut row = new_row(tx, id, input);
    row.status = place.status;
    row.reservation_id = reservation;
    row.total_visits = total_visits(tx, row.id, row.phone.as_deref()).await?;
    if status.is_waiting() {
        // A booking has a time, not a place behind others.
        if reservation.is_none() {
            quote(tx, &mut row).await?;
        }
        if status == GuestStatus::Notified {
            let settings = restaurants::settings(tx.conn, tx.restaurant_id()).await?;
            row.notify(tx.now, settings.notified_timeout_minutes);
        }
        row.keep_time(tx.now);
        // The last thing before the row is there: others who come meanwhile wait for it.
        restaurants::lock(tx).await?;
        queue::append(tx, &mut row).await?;
    } else {
        row.seated_time = Some(tx.now);
    }
    let locked = seating::lock(tx, &place.tables).await?;
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

/// What the house says to a party that comes, and what it is told if the host says nothing.
async fn quote(tx: &mut Tx<'_>, row: &mut GuestRow) -> Result<()> {
    let quote = waitlist::quote(tx.conn, tx.restaurant_id(), row.party_size, tx.now).await?;
    row.quoted_low_minutes = quote.low_minutes;
    row.quoted_high_minutes = quote.high_minutes;
    row.quoted_wait_minutes = row.quoted_wait_minutes.or(quote.high_minutes);
    Ok(())
}

/// Visits with this telephone number, the present one included.
pub(super) async fn total_visits(tx: &mut Tx<'_>, id: GuestId, phone: Option<&str>) -> Result<i32> {
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

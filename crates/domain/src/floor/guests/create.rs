//! Taking a party down.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::floor::guests::{CreateGuest, Guest, GuestStatus};
use wire::{GuestId, ReservationId, TableId};

use super::input::{check_new, new_row};
use super::operations::Leave;
use super::row::{GuestRow, taken};
use super::{own, rules, waiting};
use crate::clock::new_id;
use crate::db::Tx;
use crate::error::broken_constraint;
use crate::floor::sitting::{self, Sits};
use crate::floor::{seating, waitlist};
use crate::record::{Record, Stored};
use crate::rooms::GO_ALONG;
use crate::schema::guests;
use crate::venue::restaurants;
use crate::{Error, Result};

/// Rows that one statement writes: PostgreSQL takes at most 65,535 parameters.
const CHUNK: usize = 1000;

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
pub(crate) async fn create_as(
    tx: &mut Tx<'_>,
    id: GuestId,
    input: &CreateGuest,
    reservation: Option<ReservationId>,
) -> Result<Guest> {
    let (mut row, tables) = new(tx, id, input)?;
    row.reservation_id = reservation;
    row.secret_hash = own::secret_of_booking(tx, reservation).await?;
    row.total_visits = total_visits(tx, row.id, row.phone.as_deref()).await?;
    let mut quotes = None;
    if row.status.is_waiting() {
        // A booking has a time, not a place behind others.
        if reservation.is_none() {
            let mut known = waitlist::quotes(tx).await?;
            quote(&mut row, &mut known);
            quotes = Some(known);
        }
        keep_time(tx, &mut row).await?;
        // The last thing before the row is there: others who come meanwhile wait for it.
        restaurants::lock(tx).await?;
        let last = waiting::last(tx).await?;
        waiting::stand_behind(&mut row, last);
    } else {
        row.seated_time = Some(tx.now);
    }
    let locked = seating::lock(tx, &tables).await?;
    locked.check_can_seat(
        tx.actor(),
        row.id,
        row.party_size,
        &tables,
        input.allow_over_capacity,
    )?;
    row.insert(tx.conn).await?;
    waiting::note_appended(tx, std::slice::from_ref(&row));
    let guest = row.at(tables).tell_created(tx)?;
    seating::apply(tx, locked, guest.id, &[], &guest.table_ids, Leave::Undone).await?;
    let sits = Sits::at(guest.status, &guest.table_ids);
    sitting::go_along(tx, GO_ALONG, &guest, Sits::NOWHERE, sits).await?;
    if let Some(quotes) = quotes {
        waitlist::keep(tx, quotes);
    }
    Ok(guest)
}

/// Whether a party comes to the waiting list and to nothing else.
pub(crate) fn is_to_wait(input: &CreateGuest) -> bool {
    let is_given_table = input.table_id.is_some() || input.table_ids.is_some();
    !is_given_table && input.status.is_none_or(GuestStatus::is_waiting)
}

/// Takes down parties that are to wait ([`is_to_wait`]), in their order, as if each came by itself;
/// but what there is to know is looked up once, and their rows are one statement. What one of them
/// is refused keeps no other off.
///
/// # Errors
/// [`Error::Contended`] when somebody took one of the ids meanwhile.
pub(crate) async fn create_all(
    tx: &mut Tx<'_>,
    parties: &[(GuestId, &CreateGuest)],
) -> Result<Vec<Result<Guest>>> {
    restaurants::lock(tx).await?;
    let mut known = known_ids(tx, parties).await?;
    let visits = visits(tx, parties).await?;
    let mut last = waiting::last(tx).await?;
    let mut quotes = waitlist::quotes(tx).await?;
    let (mut rows, mut refused) = (Vec::new(), Vec::with_capacity(parties.len()));
    for (id, input) in parties {
        let mut row = match new(tx, *id, input) {
            Ok((row, _)) if known.insert(*id) => row,
            other => {
                refused.push(Some(other.err().unwrap_or_else(taken)));
                continue;
            }
        };
        let before = visits.get(&digits(row.phone.as_deref())).copied();
        row.total_visits = visit_after(before.unwrap_or(0));
        quote(&mut row, &mut quotes);
        keep_time(tx, &mut row).await?;
        last = waiting::stand_behind(&mut row, last);
        rows.push(row);
        refused.push(None);
    }
    for chunk in rows.chunks(CHUNK) {
        diesel::insert_into(guests::table)
            .values(chunk)
            .execute(tx.conn)
            .await
            .map_err(|error| match broken_constraint(&error) {
                Some("guests_pkey") => Error::Contended,
                _ => error.into(),
            })?;
    }
    waiting::note_appended(tx, &rows);
    let made = rows
        .into_iter()
        .map(|row| row.at(Vec::new()).tell_created(tx));
    let mut made = made.collect::<Result<Vec<Guest>>>()?.into_iter();
    waitlist::keep(tx, quotes);
    let results = refused.into_iter().filter_map(|refusal| match refusal {
        Some(error) => Some(Err(error)),
        None => made.next().map(Ok),
    });
    Ok(results.collect())
}

/// A party as it comes, before anything is known of the house, and its tables.
fn new(tx: &Tx<'_>, id: GuestId, input: &CreateGuest) -> Result<(GuestRow, Vec<TableId>)> {
    let (said, wanted) = check_new(input)?;
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
    let mut row = new_row(tx, id, &said)?;
    row.status = place.status;
    Ok((row, place.tables))
}

/// What the house says to a party that comes, and what it is told if the host says nothing. It
/// stands before those who come after it.
fn quote(row: &mut GuestRow, quotes: &mut waitlist::Quotes) {
    let quote = quotes.quote(row.party_size);
    row.quoted_low_minutes = quote.low_minutes;
    row.quoted_high_minutes = quote.high_minutes;
    row.quoted_wait_minutes = row.quoted_wait_minutes.or(quote.high_minutes);
    quotes.join(row.party_size);
}

async fn keep_time(tx: &mut Tx<'_>, row: &mut GuestRow) -> Result<()> {
    if row.status == GuestStatus::Notified {
        let calendar = restaurants::calendar_in(tx).await?;
        row.notify(tx.now, calendar.settings.floor.notified_timeout_minutes);
    }
    row.keep_time(tx.now);
    Ok(())
}

/// Which of the ids are taken.
async fn known_ids(
    tx: &mut Tx<'_>,
    parties: &[(GuestId, &CreateGuest)],
) -> Result<HashSet<GuestId>> {
    let ids: Vec<GuestId> = parties.iter().map(|(id, _)| *id).collect();
    let known = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::id.eq_any(ids))
        .select(guests::id)
        .load(tx.conn)
        .await?;
    Ok(known.into_iter().collect())
}

/// Visits before, by the digits of telephone numbers.
async fn visits(
    tx: &mut Tx<'_>,
    parties: &[(GuestId, &CreateGuest)],
) -> Result<HashMap<String, i64>> {
    let numbers: HashSet<String> = parties
        .iter()
        .map(|(_, input)| digits(input.phone.as_deref()))
        .filter(|digits| !digits.is_empty())
        .collect();
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let counts = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::phone_digits.eq_any(numbers))
        .filter(guests::status.eq(GuestStatus::Completed))
        .group_by(guests::phone_digits)
        .select((
            guests::phone_digits.assume_not_null(),
            diesel::dsl::count_star(),
        ))
        .load::<(String, i64)>(tx.conn)
        .await?;
    Ok(counts.into_iter().collect())
}

/// Visits with this telephone number, the present one included.
pub(super) async fn total_visits(tx: &mut Tx<'_>, id: GuestId, phone: Option<&str>) -> Result<i32> {
    let digits = digits(phone);
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
    Ok(visit_after(before))
}

fn digits(phone: Option<&str>) -> String {
    let phone = phone.unwrap_or_default();
    phone.chars().filter(char::is_ascii_digit).collect()
}

fn visit_after(before: i64) -> i32 {
    i32::try_from(before).unwrap_or(i32::MAX).saturating_add(1)
}

//! Reading what was asked: fields are checked here, rules are not.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use wire::floor::reservations::{
    CreateReservation, ReservationSource, ReservationStatus, UpdateReservation,
};
use wire::patch::given;
use wire::{ReservationId, TableId};

use super::row::ReservationRow;
use crate::address;
use crate::checks::{Checks, trim, trimmed};
use crate::db::Tx;
use crate::{Error, Result};

/// How far ahead is booked.
const HORIZON: TimeDelta = TimeDelta::days(2 * 366);

/// A booking of which nothing has been said yet.
pub(super) fn fresh(tx: &Tx<'_>, id: ReservationId) -> ReservationRow {
    ReservationRow {
        restaurant_id: tx.restaurant_id(),
        id,
        guest_name: String::new(),
        guest_phone: None,
        guest_email: None,
        party_size: 0,
        reservation_time: tx.now,
        duration_minutes: 0,
        status: ReservationStatus::Confirmed,
        source: ReservationSource::Phone,
        table_ids: Vec::new(),
        guest_id: None,
        notes: None,
        special_requests: None,
        created_at: tx.now,
        last_updated: tx.now,
        version: 1,
        secret_hash: None,
    }
}

/// The row with the fields of a patch that are plain information.
pub(super) fn patched(row: &ReservationRow, patch: &UpdateReservation) -> Result<ReservationRow> {
    let mut next = row.clone();
    if let Some(name) = &patch.guest_name {
        next.guest_name =
            trimmed(Some(name)).ok_or_else(|| Error::invalid("guestName", "must not be empty"))?;
    }
    let texts = [
        (&mut next.guest_phone, &patch.guest_phone),
        (&mut next.notes, &patch.notes),
        (&mut next.special_requests, &patch.special_requests),
    ];
    for (field, change) in texts {
        if let Some(text) = change {
            *field = trimmed(text.as_deref());
        }
    }
    if let Some(email) = &patch.guest_email {
        next.guest_email = address::stored(email.as_deref());
    }
    next.party_size = patch.party_size.unwrap_or(row.party_size);
    next.source = patch.source.unwrap_or(row.source);
    if let Some(tables) = &patch.table_ids {
        next.table_ids = tables.clone().unwrap_or_default();
    }
    Ok(next)
}

/// Checks the fields of a new booking but its time and party size, which a hold may bring.
pub(super) fn check_new(checks: &mut Checks, input: &CreateReservation) {
    match trimmed(input.guest_name.as_deref()) {
        None => checks.fault("guestName", "is required"),
        Some(name) => checks.name("guestName", Some(&name), 1..=200),
    }
    checks.number("partySize", input.party_size, 1..=100);
    checks.number("durationMinutes", input.duration_minutes, 15..=1440);
    if input.hold_id.is_some() {
        for (field, is_given) in [
            ("reservationTime", input.reservation_time.is_some()),
            ("durationMinutes", input.duration_minutes.is_some()),
            ("tableIds", input.table_ids.is_some()),
            ("partySize", input.party_size.is_some()),
        ] {
            if is_given {
                checks.fault(field, "comes from the hold");
            }
        }
    } else if input.party_size.is_none() {
        checks.fault("partySize", "is required");
    }
    let first = [ReservationStatus::Pending, ReservationStatus::Confirmed];
    if input.status.is_some_and(|status| !first.contains(&status)) {
        checks.fault("status", "of a new booking is pending or confirmed");
    }
    check_info(checks, &UpdateReservation::from(input.clone()));
    check_tables(checks, input.table_ids.as_deref());
}

/// Checks the fields of a patch but its time.
pub(super) fn check_patch(checks: &mut Checks, patch: &UpdateReservation) {
    checks.name("guestName", patch.guest_name.as_deref(), 1..=200);
    checks.number("partySize", patch.party_size, 1..=100);
    checks.number("durationMinutes", patch.duration_minutes, 15..=1440);
    check_info(checks, patch);
    check_tables(checks, given(&patch.table_ids));
}

/// Checks what may be said of new bookings and of others alike.
fn check_info(checks: &mut Checks, said: &UpdateReservation) {
    checks.text("guestPhone", given(&said.guest_phone), 0..=40);
    let email = given(&said.guest_email);
    checks.email("guestEmail", email.filter(|email| !trim(email).is_empty()));
    checks.text("notes", given(&said.notes), 0..=2000);
    checks.text("specialRequests", given(&said.special_requests), 0..=2000);
}

/// Joined tables: a few, and different ones.
pub(crate) fn check_tables(checks: &mut Checks, tables: Option<&[TableId]>) {
    let tables = tables.unwrap_or_default();
    let mut distinct = tables.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if tables.len() > 10 || distinct.len() != tables.len() {
        checks.fault("tableIds", "must be at most 10 different tables");
    }
}

/// The time of a booking, in whole microseconds: not over yet, and not too far ahead.
pub(crate) fn check_time(
    checks: &mut Checks,
    time: Option<DateTime<Utc>>,
    minutes: i32,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let Some(time) = time else {
        checks.fault("reservationTime", "is required");
        return now;
    };
    if time > now + HORIZON {
        checks.fault("reservationTime", "must be within two years");
        return now;
    }
    if time < now - HORIZON || time + TimeDelta::minutes(minutes.into()) <= now {
        checks.fault("reservationTime", "is past");
        return now;
    }
    time.duration_trunc(TimeDelta::microseconds(1))
        .unwrap_or(time)
}

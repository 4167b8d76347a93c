//! Which tables are taken when: by bookings, and by slots that are kept.
//!
//! Whoever takes tables locks them first, by id; so two who book one table meet at its row, and
//! the second sees the first one's booking and can name it. The exclusion constraint of
//! `reservation_tables` would refuse it all the same.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::floor::availability::TableConflict;
use wire::{HoldId, ReservationId, RestaurantId, TableId};

use super::availability::{Wish, taken};
use super::reserved;
use super::seating::Locked;
use crate::db::Tx;
use crate::error::broken_constraint;
use crate::schema::{holds, reservation_tables, reservations};
use crate::{Error, Result};

/// Who takes tables.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claimant {
    Reservation(ReservationId),
    Hold(HoldId),
}

#[derive(Insertable)]
#[diesel(table_name = reservation_tables)]
struct ClaimRow {
    restaurant_id: RestaurantId,
    table_id: TableId,
    period: Range<DateTime<Utc>>,
    reservation_id: Option<ReservationId>,
    hold_id: Option<HoldId>,
    due_at: Option<DateTime<Utc>>,
    shown: bool,
}

async fn rows(
    tx: &mut Tx<'_>,
    claimant: Claimant,
    tables: &[TableId],
    period: &Range<DateTime<Utc>>,
) -> Result<Vec<ClaimRow>> {
    let (reservation_id, hold_id) = match claimant {
        Claimant::Reservation(id) => (Some(id), None),
        Claimant::Hold(id) => (None, Some(id)),
    };
    let (due_at, shown) = match reservation_id {
        Some(_) => reserved::showing(tx, period).await?,
        None => (None, false),
    };
    Ok(tables
        .iter()
        .map(|table_id| ClaimRow {
            restaurant_id: tx.restaurant_id(),
            table_id: *table_id,
            period: period.clone(),
            reservation_id,
            hold_id,
            due_at,
            shown,
        })
        .collect())
}

/// Whether tables, which are locked, are free for the time of a wish.
///
/// # Errors
/// `table_unavailable`, which names what is in the way.
pub(super) async fn check_free(
    tx: &mut Tx<'_>,
    locked: &Locked,
    tables: &[TableId],
    wish: &Wish,
) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let period = wish.time..wish.until();
    forget_expired(tx, tables, &period).await?;
    if let Some(conflict) = in_the_way(tx, tables, &period).await? {
        let number = match conflict.table_id {
            Some(table) => locked.table(table)?.table_number.clone(),
            None => String::new(),
        };
        return Err(taken(tx, wish, &number, conflict).await?);
    }
    Ok(())
}

/// Takes tables, which are locked and free, for the time of a wish.
pub(super) async fn claim(
    tx: &mut Tx<'_>,
    claimant: Claimant,
    tables: &[TableId],
    wish: &Wish,
) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let period = wish.time..wish.until();
    let claims = rows(tx, claimant, tables, &period).await?;
    diesel::insert_into(reservation_tables::table)
        .values(claims)
        .execute(tx.conn)
        .await
        .map_err(|error| match broken_constraint(&error) {
            // Somebody who sat down there; the next look will see it.
            Some("reservation_tables_overlap" | "reservation_tables_pkey") => Error::Contended,
            _ => error.into(),
        })?;
    Ok(())
}

/// Takes those of the tables that nobody else has: for a party that is there already.
pub(super) async fn claim_free(
    tx: &mut Tx<'_>,
    claimant: Claimant,
    tables: &[TableId],
    period: &Range<DateTime<Utc>>,
) -> Result<()> {
    if tables.is_empty() || period.start >= period.end {
        return Ok(());
    }
    forget_expired(tx, tables, period).await?;
    let claims = rows(tx, claimant, tables, period).await?;
    diesel::insert_into(reservation_tables::table)
        .values(claims)
        .on_conflict_do_nothing()
        .execute(tx.conn)
        .await?;
    Ok(())
}

/// Gives a booking's tables back; returns those that were shown as reserved for it.
pub(super) async fn release(tx: &mut Tx<'_>, id: ReservationId) -> Result<Vec<TableId>> {
    let released = diesel::delete(
        reservation_tables::table
            .filter(reservation_tables::restaurant_id.eq(tx.restaurant_id()))
            .filter(reservation_tables::reservation_id.eq(id)),
    )
    .returning((reservation_tables::table_id, reservation_tables::shown))
    .get_results::<(TableId, bool)>(tx.conn)
    .await?;
    let shown = released.into_iter().filter(|(_, shown)| *shown);
    Ok(shown.map(|(table, _)| table).collect())
}

/// Gives back what was taken of a table until now; whether something is left.
pub(super) async fn forget_past(tx: &mut Tx<'_>, table: TableId) -> Result<bool> {
    let ahead = tx.now..tx.now + TimeDelta::days(3660);
    forget_expired(tx, &[table], &ahead).await?;
    diesel::delete(
        reservation_tables::table
            .filter(reservation_tables::restaurant_id.eq(tx.restaurant_id()))
            .filter(reservation_tables::table_id.eq(table))
            .filter(reservation_tables::period.lesser_than(ahead)),
    )
    .execute(tx.conn)
    .await?;
    Ok(diesel::select(diesel::dsl::exists(
        reservation_tables::table
            .filter(reservation_tables::restaurant_id.eq(tx.restaurant_id()))
            .filter(reservation_tables::table_id.eq(table)),
    ))
    .get_result(tx.conn)
    .await?)
}

/// Removes kept slots in the way whose time is over.
async fn forget_expired(
    tx: &mut Tx<'_>,
    tables: &[TableId],
    period: &Range<DateTime<Utc>>,
) -> Result<()> {
    let in_the_way = reservation_tables::table
        .filter(reservation_tables::restaurant_id.eq(tx.restaurant_id()))
        .filter(reservation_tables::table_id.eq_any(tables))
        .filter(reservation_tables::period.overlaps_with(period))
        .filter(reservation_tables::hold_id.is_not_null())
        .select(reservation_tables::hold_id.assume_not_null());
    diesel::delete(
        holds::table
            .filter(holds::restaurant_id.eq(tx.restaurant_id()))
            .filter(holds::expires_at.le(tx.now))
            .filter(holds::id.eq_any(in_the_way)),
    )
    .execute(tx.conn)
    .await?;
    Ok(())
}

/// The first of what overlaps.
async fn in_the_way(
    tx: &mut Tx<'_>,
    tables: &[TableId],
    period: &Range<DateTime<Utc>>,
) -> Result<Option<TableConflict>> {
    use std::ops::Bound;
    type Found = (
        TableId,
        (Bound<DateTime<Utc>>, Bound<DateTime<Utc>>),
        Option<ReservationId>,
        Option<String>,
    );
    let found = reservation_tables::table
        .left_join(
            reservations::table.on(reservations::restaurant_id
                .eq(reservation_tables::restaurant_id)
                .and(
                    reservations::id
                        .nullable()
                        .eq(reservation_tables::reservation_id),
                )),
        )
        .filter(reservation_tables::restaurant_id.eq(tx.restaurant_id()))
        .filter(reservation_tables::table_id.eq_any(tables))
        .filter(reservation_tables::period.overlaps_with(period))
        .order((reservation_tables::period, reservation_tables::table_id))
        .select((
            reservation_tables::table_id,
            reservation_tables::period,
            reservation_tables::reservation_id,
            reservations::guest_name.nullable(),
        ))
        .first::<Found>(tx.conn)
        .await
        .optional()?;
    Ok(found.map(|(table, (from, until), reservation, name)| {
        let moment = |bound| match bound {
            Bound::Included(time) | Bound::Excluded(time) => Some(time),
            Bound::Unbounded => None,
        };
        TableConflict {
            table_id: Some(table),
            reservation_id: reservation,
            guest_name: name,
            from: moment(from),
            until: moment(until),
            slots: Vec::new(),
        }
    }))
}

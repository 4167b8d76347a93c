//! Bookings of a person who wants to be forgotten, or to know what is kept.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::RestaurantId;
use wire::floor::reservations::Reservation;

use super::row::ReservationRow;
use crate::Result;
use crate::db::Tx;
use crate::privacy::NOBODY;
use crate::record::{Record, Stored};
use crate::schema::reservations;

/// The bookings among some ids, by id.
pub(crate) async fn some(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<Reservation>> {
    let rows = reservations::table
        .filter(reservations::restaurant_id.eq(restaurant))
        .filter(reservations::id.eq_any(ids))
        .order(reservations::id)
        .select(ReservationRow::as_select())
        .load::<ReservationRow>(conn)
        .await?;
    Ok(rows.into_iter().map(Reservation::from).collect())
}

/// Locked rows of bookings.
pub(crate) struct Bookings(Vec<ReservationRow>);

/// Locks the bookings among some ids, in the one order.
pub(crate) async fn lock_rows(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Bookings> {
    let rows = reservations::table
        .filter(reservations::restaurant_id.eq(tx.restaurant_id()))
        .filter(reservations::id.eq_any(ids))
        .order(reservations::id)
        .select(ReservationRow::as_select())
        .for_update()
        .load(tx.conn)
        .await?;
    Ok(Bookings(rows))
}

/// Takes the values out of bookings and tells, but not the audit. Returns how many had any.
pub(crate) async fn erase(tx: &mut Tx<'_>, bookings: Bookings) -> Result<usize> {
    let mut count = 0;
    for row in bookings.0 {
        let mut next = ReservationRow {
            guest_name: NOBODY.to_owned(),
            guest_phone: None,
            guest_email: None,
            notes: None,
            special_requests: None,
            ..row.clone()
        };
        if next == row {
            continue;
        }
        next.write(tx).await?;
        next.tell_erased(tx)?;
        count += 1;
    }
    Ok(count)
}

//! Lists of bookings.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::reservations::{Reservation, ReservationFilter, ReservationStatus};
use wire::times::Moment;
use wire::{ReservationId, RestaurantId};

use super::row::ReservationRow;
use crate::Result;
use crate::page::{self, Page};
use crate::schema::reservations;
use crate::venue::{day, restaurants};
use crate::words::words;

/// The bookings that `filter` asks for, by their time.
///
/// # Errors
/// [`crate::Error::Invalid`] for a filter that cannot be read.
pub async fn list(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    filter: &ReservationFilter,
) -> Result<Page<Reservation>> {
    let statuses = words::<ReservationStatus>("status", filter.status.as_deref())?;
    let limit = page::limit(filter.limit)?;
    let after = page::after::<(Moment, ReservationId)>(filter.cursor.as_deref())?;
    let mut query = reservations::table
        .filter(reservations::restaurant_id.eq(restaurant))
        .select(ReservationRow::as_select())
        .order((reservations::reservation_time, reservations::id))
        .limit(limit + 1)
        .into_boxed();
    if let Some(date) = filter.date {
        let calendar = restaurants::calendar(conn, restaurant).await?;
        let begins = calendar.settings.venue.service_day_start_minute;
        let (from, until) = day::span(date, calendar.zone, begins);
        query = query
            .filter(reservations::reservation_time.ge(from))
            .filter(reservations::reservation_time.lt(until));
    }
    if let Some(statuses) = statuses {
        query = query.filter(reservations::status.eq_any(statuses));
    }
    if let Some(table) = filter.table_id {
        query = query.filter(reservations::table_ids.contains(vec![table]));
    }
    if let Some((Moment(time), id)) = after {
        // The first condition says nothing new, but is one that an index can begin at.
        query = query
            .filter(reservations::reservation_time.ge(time))
            .filter(
                reservations::reservation_time
                    .gt(time)
                    .or(reservations::reservation_time
                        .eq(time)
                        .and(reservations::id.gt(id))),
            );
    }
    let rows = query.load::<ReservationRow>(conn).await?;
    let items = rows.into_iter().map(Reservation::from).collect();
    page::paged(items, limit, |booking: &Reservation| {
        (booking.reservation_time, booking.id)
    })
}

/// All bookings of a time, in the same order.
///
/// # Errors
/// When the database is away.
pub async fn window(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Reservation>> {
    let rows = reservations::table
        .filter(reservations::restaurant_id.eq(restaurant))
        .filter(reservations::reservation_time.ge(from))
        .filter(reservations::reservation_time.lt(until))
        .select(ReservationRow::as_select())
        .order((reservations::reservation_time, reservations::id))
        .load::<ReservationRow>(conn)
        .await?;
    Ok(rows.into_iter().map(Reservation::from).collect())
}

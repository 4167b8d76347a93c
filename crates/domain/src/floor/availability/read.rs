//! What is known of a house, from the database.

use std::ops::Bound;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::availability::{Availability, AvailabilityQuery};
use wire::floor::reservations::ReservationStatus;
use wire::floor::tables::TableStatus;
use wire::{RestaurantId, TableId};

use super::plan::{Arrival, Ask, Busy, House, PlanTable};
use crate::checks::Checks;
use crate::schema::{guests, holds, reservation_tables, reservations, seatings, tables};
use crate::venue::day;
use crate::venue::restaurants::{self, Calendar};
use crate::{Error, Result};

/// A period, as the database has it.
type Period = (Bound<DateTime<Utc>>, Bound<DateTime<Utc>>);

/// The free slots of a day.
///
/// # Errors
/// [`Error::Invalid`] for a query that cannot be answered, [`Error::NotFound`].
pub async fn day(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    query: &AvailabilityQuery,
    now: DateTime<Utc>,
) -> Result<Availability> {
    let mut checks = Checks::new();
    if query.date.is_none() {
        checks.fault("date", "is required");
    } else if query.date.is_some_and(|date| !is_near(date, now)) {
        checks.fault("date", "must be within two years");
    }
    if query.party_size.is_none() {
        checks.fault("partySize", "is required");
    }
    checks.number("partySize", query.party_size, 1..=100);
    checks.number("duration", query.duration, 15..=1440);
    checks.finish()?;
    let (date, party_size) = (
        query.date.unwrap_or_default(),
        query.party_size.unwrap_or_default(),
    );
    let calendar = restaurants::calendar(conn, restaurant).await?;
    let house = house(conn, restaurant, calendar, date, now).await?;
    let minutes = query
        .duration
        .unwrap_or_else(|| house.settings.floor.turn_minutes(party_size));
    let ask = Ask {
        party_size,
        duration: TimeDelta::minutes(minutes.into()),
        large_tables: query.large_tables,
        now,
    };
    Ok(Availability {
        date,
        time_zone: house.zone.name().to_owned(),
        party_size,
        duration_minutes: minutes,
        slots: house.slots(date, &ask),
    })
}

fn is_near(date: NaiveDate, now: DateTime<Utc>) -> bool {
    (date - now.date_naive()).num_days().abs() <= 2 * 366
}

/// All that decides what a house can offer for parties that come on `date`, or in the night after.
pub(super) async fn house(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    calendar: Calendar,
    date: NaiveDate,
    now: DateTime<Utc>,
) -> Result<House> {
    let Calendar { zone, settings } = calendar;
    let from = day::local(date, zone, 0);
    let until = date
        .checked_add_days(Days::new(4))
        .map_or(from, |date| day::local(date, zone, 0));
    let walk_in_only: Vec<&str> = settings
        .floor
        .sections
        .iter()
        .filter(|section| section.walk_in_only)
        .map(|section| section.name.as_str())
        .collect();
    let tables = bookable(conn, restaurant, &walk_in_only).await?;
    let mut busy = claimed(conn, restaurant, from, until, now).await?;
    for (table_id, seated_time, party_size) in seated(conn, restaurant).await? {
        let from = seated_time.unwrap_or(now);
        let stay = TimeDelta::minutes(settings.floor.turn_minutes(party_size).into());
        // A party that sits longer than most is not gone yet.
        let until = (from + stay).max(now + TimeDelta::minutes(15));
        busy.push(Busy {
            table_id,
            from,
            until,
        });
    }
    Ok(House {
        zone,
        tables,
        busy,
        arrivals: arrivals(conn, restaurant, from, until, now).await?,
        settings,
    })
}

/// The tables that may be booked.
async fn bookable(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    walk_in_only: &[&str],
) -> Result<Vec<PlanTable>> {
    let rows = tables::table
        .filter(tables::restaurant_id.eq(restaurant))
        .filter(tables::is_active)
        .filter(tables::status.ne(TableStatus::OutOfService))
        .filter(
            tables::section
                .is_null()
                .or(tables::section.ne_all(walk_in_only.to_vec())),
        )
        .select((
            tables::id,
            tables::table_number,
            tables::capacity,
            tables::min_party_size,
        ))
        .load::<(TableId, String, i32, i32)>(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, number, capacity, min_party_size)| PlanTable {
            id,
            number,
            capacity,
            min_party_size,
        })
        .collect())
}

/// What bookings and slots that are kept have taken.
async fn claimed(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Busy>> {
    let rows = reservation_tables::table
        .left_join(
            holds::table.on(holds::restaurant_id
                .eq(reservation_tables::restaurant_id)
                .and(holds::id.nullable().eq(reservation_tables::hold_id))),
        )
        .filter(reservation_tables::restaurant_id.eq(restaurant))
        .filter(reservation_tables::period.overlaps_with(from..until))
        .filter(
            reservation_tables::hold_id
                .is_null()
                .or(holds::expires_at.nullable().gt(now)),
        )
        .select((reservation_tables::table_id, reservation_tables::period))
        .load::<(TableId, Period)>(conn)
        .await?;
    rows.into_iter()
        .map(|(table_id, period)| match period {
            (Bound::Included(from), Bound::Excluded(until)) => Ok(Busy {
                table_id,
                from,
                until,
            }),
            other => Err(Error::Internal(format!("a period of {other:?}"))),
        })
        .collect()
}

/// The tables at which somebody sits, since when and how many.
async fn seated(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
) -> Result<Vec<(TableId, Option<DateTime<Utc>>, i32)>> {
    Ok(seatings::table
        .inner_join(
            guests::table.on(guests::restaurant_id
                .eq(seatings::restaurant_id)
                .and(guests::id.eq(seatings::guest_id))),
        )
        .filter(seatings::restaurant_id.eq(restaurant))
        .select((seatings::table_id, guests::seated_time, guests::party_size))
        .load(conn)
        .await?)
}

/// Who is expected: bookings, and slots that are kept.
async fn arrivals(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Arrival>> {
    let finished = [
        ReservationStatus::Completed,
        ReservationStatus::Cancelled,
        ReservationStatus::NoShow,
    ];
    let booked = reservations::table
        .filter(reservations::restaurant_id.eq(restaurant))
        .filter(reservations::reservation_time.ge(from))
        .filter(reservations::reservation_time.lt(until))
        .filter(reservations::status.ne_all(finished))
        .select((reservations::reservation_time, reservations::party_size))
        .load::<(DateTime<Utc>, i32)>(conn)
        .await?;
    let kept = holds::table
        .filter(holds::restaurant_id.eq(restaurant))
        .filter(holds::reservation_time.ge(from))
        .filter(holds::reservation_time.lt(until))
        .filter(holds::expires_at.gt(now))
        .select((holds::reservation_time, holds::party_size))
        .load::<(DateTime<Utc>, i32)>(conn)
        .await?;
    Ok(booked
        .into_iter()
        .chain(kept)
        .map(|(time, party_size)| Arrival { time, party_size })
        .collect())
}

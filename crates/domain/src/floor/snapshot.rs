//! The floor, as snapshots show it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use wire::RestaurantId;
use wire::floor::snapshot::Floor;

use super::{guests, reservations, tables};
use crate::Result;

/// Reads the floor on the service day that began at `day`. Must run in
/// [`crate::db::Db::snapshot`], so that every part and the head of the log are of the same moment.
///
/// # Errors
/// When the database is away.
pub async fn read(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    day: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Floor> {
    let (from, until) = (day - TimeDelta::days(1), now + TimeDelta::days(30));
    Ok(Floor {
        guests: guests::floor(conn, restaurant, day).await?,
        reservations: reservations::window(conn, restaurant, from, until).await?,
        tables: tables::floor(conn, restaurant).await?,
    })
}

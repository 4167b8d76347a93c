//! The whole floor at one position of the log.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use wire::RestaurantId;
use wire::floor::snapshot::Snapshot;

use super::{guests, reservations, tables};
use crate::Result;
use crate::venue::restaurants;

/// Reads the floor. Must run in [`crate::db::Db::snapshot`], so that every part and the head of
/// the log are of the same moment.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is no such restaurant.
pub async fn read(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    now: DateTime<Utc>,
) -> Result<Snapshot> {
    let view = restaurants::floor_view(conn, restaurant, now).await?;
    let from = view.service_day_start - TimeDelta::days(1);
    let until = now + TimeDelta::days(30);
    Ok(Snapshot {
        restaurant: restaurants::get(conn, restaurant).await?,
        guests: guests::floor(conn, restaurant, view.service_day_start).await?,
        reservations: reservations::window(conn, restaurant, from, until).await?,
        tables: tables::floor(conn, restaurant).await?,
        last_updated: now,
        epoch: view.position.epoch,
        seq: view.position.seq,
    })
}

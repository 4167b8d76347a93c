//! A booking, as whoever follows it by its link sees it and what they may do.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::audit::AuditEntity;
use wire::floor::reservations::{OwnReservation, ReservationStatus};
use wire::rooms::RootKind;
use wire::{ErrorCode, ReservationId, RestaurantId, RootId};

use super::operations::{cancel, get};
use super::row::ReservationRow;
use crate::db::Tx;
use crate::floor::guests;
use crate::holders::{self, Held, Holding, Place};
use crate::record::Stored;
use crate::schema::reservations;
use crate::{Error, Result};

/// Makes a link by which a booking is followed, and the party that it becomes, in the place of one
/// that it has; returns its secret, which is kept nowhere.
///
/// # Errors
/// [`Error::NotFound`]; `conflict` for a booking that is over.
pub async fn make_link(tx: &mut Tx<'_>, id: ReservationId) -> Result<String> {
    // The party is locked before its booking, as everywhere.
    let seen = ReservationRow::find(tx.conn, tx.restaurant_id(), id).await?;
    if let Some(guest) = seen.guest_id {
        guests::lock_row(tx, guest).await?;
    }
    let row = ReservationRow::lock(tx, id).await?;
    if row.guest_id != seen.guest_id {
        return Err(Error::Contended);
    }
    if row.status.is_finished() {
        let sentence = "This booking is over.";
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    let (secret, hash) = holders::make_secret(tx, AuditEntity::Reservation, RootId(id.0));
    // No version: what clients see of the booking is as it was.
    diesel::update(reservations::table.find((tx.restaurant_id(), id)))
        .set(reservations::secret_hash.eq(&hash))
        .execute(tx.conn)
        .await?;
    if let Some(guest) = row.guest_id {
        guests::follow_booking(tx, guest, row.secret_hash.as_deref(), &hash).await?;
    }
    Ok(secret)
}

/// What is kept of the secret of a booking.
pub(crate) async fn secret(tx: &mut Tx<'_>, id: ReservationId) -> Result<Option<Vec<u8>>> {
    let secret = reservations::table
        .find((tx.restaurant_id(), id))
        .select(reservations::secret_hash)
        .first::<Option<Vec<u8>>>(tx.conn)
        .await
        .optional()?;
    Ok(secret.flatten())
}

/// The booking.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_own(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: ReservationId,
) -> Result<OwnReservation> {
    Ok(OwnReservation::from(&get(conn, restaurant, id).await?))
}

/// Calls the booking off.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_transition` for a party that is here.
pub async fn cancel_own(tx: &mut Tx<'_>, id: ReservationId) -> Result<OwnReservation> {
    let restaurant = tx.restaurant_id();
    let row = ReservationRow::find(tx.conn, restaurant, id).await?;
    if row.status == ReservationStatus::Cancelled {
        return get_own(tx.conn, restaurant, id).await;
    }
    if row.status.is_here() || row.status == ReservationStatus::Seated {
        let sentence = "The party is here. Please ask the staff.";
        return Err(Error::refused(ErrorCode::InvalidTransition, sentence));
    }
    let gone = cancel(tx, id, Some(row.version)).await;
    Ok(OwnReservation::from(
        &gone.map_err(holders::looked_at_again)?,
    ))
}

/// Bookings that somebody follows.
pub(crate) struct Bookings;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    restaurant_id: RestaurantId,
    #[diesel(sql_type = SqlUuid)]
    id: RootId,
    #[diesel(sql_type = Bytea)]
    secret_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    guest_id: Option<RootId>,
    #[diesel(sql_type = Text)]
    status: ReservationStatus,
    #[diesel(sql_type = Timestamptz)]
    reservation_time: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    duration_minutes: i32,
    #[diesel(sql_type = Timestamptz)]
    last_updated: DateTime<Utc>,
}

impl Row {
    /// Called off is over at once; all else when its tables are not kept any longer.
    fn over_since(&self) -> DateTime<Utc> {
        let planned = self.reservation_time + TimeDelta::minutes(self.duration_minutes.into());
        if self.status.is_finished() {
            planned.min(self.last_updated)
        } else {
            planned.max(self.last_updated)
        }
    }
}

#[async_trait]
impl Held for Bookings {
    fn kind(&self) -> RootKind {
        RootKind::Reservation
    }

    async fn find(&self, conn: &mut AsyncPgConnection, places: &[Place]) -> Result<Vec<Holding>> {
        let (restaurants, ids) = holders::apart(places);
        let rows = diesel::sql_query(
            "SELECT restaurant_id, id, secret_hash, guest_id, status, reservation_time, \
             duration_minutes, last_updated FROM unnest($1, $2) AS place (restaurant_id, id) \
             JOIN reservations USING (restaurant_id, id) WHERE secret_hash IS NOT NULL",
        )
        .bind::<Array<SqlUuid>, _>(restaurants)
        .bind::<Array<SqlUuid>, _>(ids)
        .load::<Row>(conn)
        .await?;
        let holdings = rows.into_iter().map(|row| Holding {
            place: (row.restaurant_id, row.id),
            over_since: Some(row.over_since()),
            leads_to: row.guest_id.map(|id| (RootKind::Guest, id)),
            secret_hash: row.secret_hash,
        });
        Ok(holdings.collect())
    }
}

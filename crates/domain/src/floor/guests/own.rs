//! A party, as whoever follows it by its link sees it and what they may do.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::audit::AuditEntity;
use wire::floor::guests::{GuestStatus, OwnGuest, UpdateGuest};
use wire::rooms::RootKind;
use wire::{ErrorCode, GuestId, ReservationId, RestaurantId, RootId};

use super::operations::{get, update};
use super::row::GuestRow;
use crate::db::Tx;
use crate::floor::reservations;
use crate::holders::{self, Held, Holding, Place};
use crate::record::Stored;
use crate::schema::guests;
use crate::{Error, Result};

/// Makes a link by which a party is followed, in the place of one that it has; returns its secret,
/// which is kept nowhere.
///
/// # Errors
/// [`Error::NotFound`]; `conflict` for a party that has left.
pub async fn make_link(tx: &mut Tx<'_>, id: GuestId) -> Result<String> {
    let row = GuestRow::lock(tx, id).await?;
    if row.status.is_finished() {
        let sentence = "This party has left.";
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    let (secret, hash) = holders::make_secret(tx, AuditEntity::Guest, RootId(id.0));
    write_secret(tx, id, &hash).await?;
    Ok(secret)
}

/// The party of a booking that has a new link is followed by that, unless it has one of its own.
pub(crate) async fn follow_booking(
    tx: &mut Tx<'_>,
    id: GuestId,
    before: Option<&[u8]>,
    now: &[u8],
) -> Result<()> {
    let row = GuestRow::lock(tx, id).await?;
    if row.secret_hash.is_none() || row.secret_hash.as_deref() == before {
        write_secret(tx, id, now).await?;
    }
    Ok(())
}

/// No version: what clients see of the party is as it was.
async fn write_secret(tx: &mut Tx<'_>, id: GuestId, hash: &[u8]) -> Result<()> {
    diesel::update(guests::table.find((tx.restaurant_id(), id)))
        .set(guests::secret_hash.eq(hash))
        .execute(tx.conn)
        .await?;
    Ok(())
}

/// The secret of the booking from which a party comes.
pub(super) async fn secret_of_booking(
    tx: &mut Tx<'_>,
    reservation: Option<ReservationId>,
) -> Result<Option<Vec<u8>>> {
    match reservation {
        Some(reservation) => reservations::secret(tx, reservation).await,
        None => Ok(None),
    }
}

/// The party.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_own(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: GuestId,
) -> Result<OwnGuest> {
    Ok(OwnGuest::from(&get(conn, restaurant, id).await?))
}

/// The party goes: it was waiting, and does not want to any more.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_transition` for a party that sits.
pub async fn cancel_own(tx: &mut Tx<'_>, id: GuestId) -> Result<OwnGuest> {
    // Not locked here: a change of the list locks what comes before the party first.
    let row = GuestRow::find(tx.conn, tx.restaurant_id(), id).await?;
    if row.status == GuestStatus::Cancelled {
        return Ok(OwnGuest::from(&get(tx.conn, tx.restaurant_id(), id).await?));
    }
    if !row.status.is_waiting() {
        let sentence = "Only who waits can leave the list. Please ask the staff.";
        return Err(Error::refused(ErrorCode::InvalidTransition, sentence));
    }
    let patch = UpdateGuest {
        status: Some(GuestStatus::Cancelled),
        ..UpdateGuest::default()
    };
    let gone = update(tx, id, &patch, Some(row.version)).await;
    Ok(OwnGuest::from(&gone.map_err(holders::looked_at_again)?))
}

/// Parties that somebody follows.
pub(crate) struct Parties;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    restaurant_id: RestaurantId,
    #[diesel(sql_type = SqlUuid)]
    id: RootId,
    #[diesel(sql_type = Bytea)]
    secret_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_time: Option<DateTime<Utc>>,
}

#[async_trait]
impl Held for Parties {
    fn kind(&self) -> RootKind {
        RootKind::Guest
    }

    async fn find(&self, conn: &mut AsyncPgConnection, places: &[Place]) -> Result<Vec<Holding>> {
        let (restaurants, ids) = holders::apart(places);
        let rows = diesel::sql_query(
            "SELECT restaurant_id, id, secret_hash, finished_time \
             FROM unnest($1, $2) AS place (restaurant_id, id) \
             JOIN guests USING (restaurant_id, id) WHERE secret_hash IS NOT NULL",
        )
        .bind::<Array<SqlUuid>, _>(restaurants)
        .bind::<Array<SqlUuid>, _>(ids)
        .load::<Row>(conn)
        .await?;
        let holdings = rows.into_iter().map(|row| Holding {
            place: (row.restaurant_id, row.id),
            secret_hash: row.secret_hash,
            over_since: row.finished_time,
            leads_to: None,
        });
        Ok(holdings.collect())
    }
}

//! Slots that are kept for a few minutes, while somebody fills in a form.
//!
//! No event tells of them: they are nobody's business but the one's who books, and what follows is
//! a booking, or nothing.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::availability::{CreateHold, Hold};
use wire::{ErrorCode, HoldId, RestaurantId, TableId};

use super::availability::{Wish, choose};
use super::occupancy::{self, Claimant};
use super::reservations::{check_tables, check_time};
use super::seating;
use crate::checks::Checks;
use crate::clock::new_id;
use crate::db::Tx;
use crate::schema::{holds, tables};
use crate::venue::restaurants;
use crate::{Error, Result};

/// How long a slot is kept.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// How many slots a house keeps at once, or as many as half of its tables, if that is more.
///
/// Anybody of the staff may keep slots, for hours of any length, and no event tells of it: without a
/// bound one device could keep all tables of a day from everybody, and nobody would see why. With
/// it, half of them can always be booked, and a form that is filled in takes one of many places for
/// five minutes. Booking outright is not bounded: everybody sees a booking, and whose it is.
const MOST: i64 = 20;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = holds)]
pub(super) struct HoldRow {
    restaurant_id: RestaurantId,
    pub(super) id: HoldId,
    pub(super) party_size: i32,
    pub(super) reservation_time: DateTime<Utc>,
    pub(super) duration_minutes: i32,
    pub(super) table_ids: Vec<TableId>,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl From<HoldRow> for Hold {
    fn from(row: HoldRow) -> Self {
        Self {
            id: row.id,
            restaurant_id: row.restaurant_id,
            party_size: row.party_size,
            reservation_time: row.reservation_time,
            duration_minutes: row.duration_minutes,
            table_ids: row.table_ids,
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

/// Keeps a slot.
///
/// # Errors
/// [`Error::Invalid`], [`Error::NotFound`] for a table; `table_unavailable`, `party_too_large`;
/// `conflict` when too many are kept already.
pub async fn create(tx: &mut Tx<'_>, input: &CreateHold) -> Result<Hold> {
    let mut checks = Checks::new();
    if input.party_size.is_none() {
        checks.fault("partySize", "is required");
    }
    checks.number("partySize", input.party_size, 1..=100);
    checks.number("durationMinutes", input.duration_minutes, 15..=1440);
    check_tables(&mut checks, input.table_ids.as_deref());
    if input
        .table_ids
        .as_deref()
        .is_some_and(<[TableId]>::is_empty)
    {
        checks.fault("tableIds", "must not be empty");
    }
    let party_size = input.party_size.unwrap_or(1);
    let minutes = match input.duration_minutes {
        Some(minutes) => minutes,
        None => restaurants::calendar_in(tx)
            .await?
            .settings
            .floor
            .turn_minutes(party_size),
    };
    let time = check_time(&mut checks, input.reservation_time, minutes, tx.now);
    checks.finish()?;
    let wish = Wish {
        party_size,
        time,
        duration: TimeDelta::minutes(minutes.into()),
    };
    let is_chosen = input.table_ids.is_none();
    let tables = match &input.table_ids {
        Some(tables) => tables.clone(),
        None => choose(tx, &wish).await?,
    };
    let locked = seating::lock(tx, &tables).await?;
    locked.check_bookable(tx.actor(), party_size, &tables, false)?;
    occupancy::check_free(tx, &locked, &tables, &wish)
        .await
        .map_err(|error| again_if_chosen(error, is_chosen))?;
    check_room(tx).await?;
    let row = HoldRow {
        restaurant_id: tx.restaurant_id(),
        id: new_id(),
        party_size,
        reservation_time: time,
        duration_minutes: minutes,
        table_ids: tables,
        expires_at: tx.now + LIFETIME,
        created_at: tx.now,
    };
    diesel::insert_into(holds::table)
        .values(&row)
        .execute(tx.conn)
        .await?;
    occupancy::claim(tx, Claimant::Hold(row.id), &row.table_ids, &wish).await?;
    Ok(row.into())
}

/// Whether one more slot can be kept. Two that ask at once may both be let in.
async fn check_room(tx: &mut Tx<'_>) -> Result<()> {
    let here = tx.restaurant_id();
    let kept: i64 = holds::table
        .filter(holds::restaurant_id.eq(here))
        .filter(holds::expires_at.gt(tx.now))
        .count()
        .get_result(tx.conn)
        .await?;
    if kept < MOST {
        return Ok(());
    }
    let tables: i64 = tables::table
        .filter(tables::restaurant_id.eq(here))
        .filter(tables::is_active)
        .count()
        .get_result(tx.conn)
        .await?;
    if kept < tables / 2 {
        return Ok(());
    }
    let sentence = format!(
        "{kept} slots are kept already. Book one or let one go; none is kept for more than {} minutes.",
        LIFETIME.num_minutes()
    );
    Err(Error::refused(ErrorCode::Conflict, sentence))
}

/// What the house chose was free a moment ago: another choice may be.
pub(super) fn again_if_chosen(error: Error, is_chosen: bool) -> Error {
    match error {
        Error::Refused {
            code: ErrorCode::TableUnavailable,
            ..
        } if is_chosen => Error::Contended,
        error => error,
    }
}

/// Gives a slot back.
///
/// # Errors
/// [`Error::NotFound`], also when its time is over.
pub async fn delete(tx: &mut Tx<'_>, id: HoldId) -> Result<()> {
    let gone = diesel::delete(holds::table.find((tx.restaurant_id(), id)))
        .returning(holds::expires_at)
        .get_result::<DateTime<Utc>>(tx.conn)
        .await
        .optional()?;
    match gone {
        Some(expires_at) if expires_at > tx.now => Ok(()),
        _ => Err(Error::NotFound("hold")),
    }
}

/// A slot that is kept.
pub(super) async fn find(tx: &mut Tx<'_>, id: HoldId) -> Result<HoldRow> {
    holds::table
        .find((tx.restaurant_id(), id))
        .filter(holds::expires_at.gt(tx.now))
        .select(HoldRow::as_select())
        .first(tx.conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("hold"))
}

/// Removes at most `batch` slots whose time is over. Must run in a transaction.
///
/// # Errors
/// When the database is away.
pub async fn sweep_expired(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    let expired = holds::table
        .filter(holds::expires_at.le(now))
        .order(holds::expires_at)
        .limit(batch)
        .select((holds::restaurant_id, holds::id))
        .for_update()
        .skip_locked()
        .load::<(RestaurantId, HoldId)>(conn)
        .await?;
    for (restaurant, id) in &expired {
        diesel::delete(holds::table.find((*restaurant, *id)))
            .execute(conn)
            .await?;
    }
    Ok(expired.len())
}

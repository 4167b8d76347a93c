//! What time brings: parties that were told of their table and did not come, parties that wait
//! longer than they were told, tables that a booking will need soon.
//!
//! Rows carry the moment at which they are due. Any worker looks for them, claims a restaurant that
//! has some by its row, which nobody else then changes the waiting list of and which is the first
//! in the order of locks, and lets time pass for a few of its rows in one transaction, with their
//! events. Who finds the restaurant claimed goes on to the next; so there is no leader, and nothing
//! is done twice.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::guests::GuestStatus;
use wire::venue::restaurants::NotifiedTimeout;
use wire::{GuestId, RestaurantId, TableId};

use crate::Result;
use crate::db::Tx;
use crate::floor::{guests as parties, reserved};
use crate::schema::{guests, reservation_tables};
use crate::together::locks::{self, Touched};
use crate::venue::restaurants;

/// For how many rows of each kind time passes in one transaction: so that the floor does not wait.
pub const BATCH: i64 = 50;

/// The restaurants that have rows which are due, at most `most` for each kind.
///
/// # Errors
/// When the database is away.
pub async fn restaurants(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    most: i64,
) -> Result<Vec<RestaurantId>> {
    // The oldest rows, by the index of what is due, and not the different restaurants among all
    // rows: for those PostgreSQL would go through every party there ever was.
    let rows = most.saturating_mul(BATCH);
    let parties = guests::table
        .filter(guests::due_at.le(now))
        .order(guests::due_at)
        .select(guests::restaurant_id)
        .limit(rows)
        .load::<RestaurantId>(conn)
        .await?;
    let tables = reservation_tables::table
        .filter(reservation_tables::due_at.le(now))
        .order(reservation_tables::due_at)
        .select(reservation_tables::restaurant_id)
        .limit(rows)
        .load::<RestaurantId>(conn)
        .await?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut seen = HashSet::new();
    let mut found: Vec<RestaurantId> = Vec::new();
    for kind in [parties, tables] {
        let first = kind.into_iter().filter(|one| seen.insert(*one));
        found.extend(first.take(most));
    }
    Ok(found)
}

/// Lets time pass for what is due in the restaurant, unless somebody else is at it; for how many
/// rows it did.
///
/// # Errors
/// When the database is away.
pub async fn pass_time(tx: &mut Tx<'_>) -> Result<usize> {
    if !restaurants::try_lock(tx).await? {
        return Ok(0);
    }
    let tables: Vec<TableId> = reserved::due(tx, BATCH).await?;
    let late: Vec<GuestId> = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::due_at.le(tx.now))
        .order(guests::due_at)
        .limit(BATCH)
        .select(guests::id)
        .load(tx.conn)
        .await?;
    let touched = Touched {
        tables: tables.clone(),
        parties: late.clone(),
        waiting_list: true,
        ..Touched::default()
    };
    parties::defer(tx);
    locks::lock_all(tx, &touched).await?;
    reserved::pass_time(tx, &tables).await?;
    if !late.is_empty() {
        let calendar = restaurants::calendar_in(tx).await?;
        let status = match calendar.settings.notified_timeout_status {
            NotifiedTimeout::Waiting => GuestStatus::Waiting,
            NotifiedTimeout::NoShow => GuestStatus::NoShow,
        };
        for party in &late {
            parties::pass_time(tx, *party, status).await?;
        }
    }
    parties::flush(tx).await?;
    Ok(tables.len() + late.len())
}

//! The restaurant's row as a lock: the first in the order of locks.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::calendar;
use crate::db::Tx;
use crate::schema::restaurants;
use crate::{Error, Result};

/// That the row is locked until the end of the transaction.
struct IsLocked;

/// Makes others wait who change the order of the waiting list, choose tables, or change members.
/// Not `FOR UPDATE`, which would also make everybody wait who writes a row that refers to the
/// restaurant.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) async fn lock(tx: &mut Tx<'_>) -> Result<()> {
    if tx.kept.has::<IsLocked>() {
        return Ok(());
    }
    let calendar: (String, serde_json::Value) = restaurants::table
        .find(tx.restaurant_id())
        .select(calendar::COLUMNS)
        .for_no_key_update()
        .first(tx.conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))?;
    note_locked(tx, calendar);
    Ok(())
}

/// From here on nobody else changes the restaurant, of which this was read with the lock.
fn note_locked(tx: &mut Tx<'_>, calendar: (String, serde_json::Value)) {
    tx.kept.put(IsLocked);
    calendar::keep(tx, calendar.into());
}

/// The same for work that can be left to others: `false` when somebody else is at it.
///
/// # Errors
/// When the database is away.
pub(crate) async fn try_lock(tx: &mut Tx<'_>) -> Result<bool> {
    let calendar: Option<(String, serde_json::Value)> = restaurants::table
        .find(tx.restaurant_id())
        .select(calendar::COLUMNS)
        .for_no_key_update()
        .skip_locked()
        .first(tx.conn)
        .await
        .optional()?;
    let is_locked = calendar.is_some();
    if let Some(calendar) = calendar {
        note_locked(tx, calendar);
    }
    Ok(is_locked)
}

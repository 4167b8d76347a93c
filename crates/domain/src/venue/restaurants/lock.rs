//! The restaurant's row as a lock: the first in the order of locks.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::RestaurantId;

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
    restaurants::table
        .find(tx.restaurant_id())
        .select(restaurants::id)
        .for_no_key_update()
        .first::<RestaurantId>(tx.conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))?;
    note_locked(tx);
    Ok(())
}

/// What was read of the restaurant before may have been changed until now.
fn note_locked(tx: &mut Tx<'_>) {
    tx.kept.put(IsLocked);
    super::forget_calendar(tx);
}

/// The same for work that can be left to others: `false` when somebody else is at it.
///
/// # Errors
/// When the database is away.
pub(crate) async fn try_lock(tx: &mut Tx<'_>) -> Result<bool> {
    let locked = restaurants::table
        .find(tx.restaurant_id())
        .select(restaurants::id)
        .for_no_key_update()
        .skip_locked()
        .first::<RestaurantId>(tx.conn)
        .await
        .optional()?;
    if locked.is_some() {
        note_locked(tx);
    }
    Ok(locked.is_some())
}

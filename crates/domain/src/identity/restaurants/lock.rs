//! The restaurant's row as a lock: the first in the order of locks.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::RestaurantId;

use crate::db::Tx;
use crate::schema::restaurants;
use crate::{Error, Result};

/// Makes others wait who change the order of the waiting list, choose tables, or change members.
/// Not `FOR UPDATE`, which would also make everybody wait who writes a row that refers to the
/// restaurant.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) async fn lock(tx: &mut Tx<'_>) -> Result<()> {
    restaurants::table
        .find(tx.restaurant_id())
        .select(restaurants::id)
        .for_no_key_update()
        .first::<RestaurantId>(tx.conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))?;
    Ok(())
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
    Ok(locked.is_some())
}

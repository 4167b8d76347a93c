//! Signing devices out.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{RestaurantId, SessionId, UserId};

use crate::schema::device_sessions;
use crate::{Error, Result};

/// Signs a device out. One that was signed out before stays so.
///
/// # Errors
/// When the database is away.
pub async fn revoke(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    session_id: SessionId,
) -> Result<()> {
    diesel::update(device_sessions::table.find(session_id))
        .filter(device_sessions::revoked_at.is_null())
        .set(device_sessions::revoked_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// Signs one of an account's devices out.
///
/// # Errors
/// [`Error::NotFound`] when the account has no such device that is logged in.
pub async fn revoke_of_user(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    user_id: UserId,
    session_id: SessionId,
) -> Result<()> {
    let revoked = diesel::update(device_sessions::table.find(session_id))
        .filter(device_sessions::user_id.eq(user_id))
        .filter(device_sessions::revoked_at.is_null())
        .set(device_sessions::revoked_at.eq(now))
        .execute(conn)
        .await?;
    if revoked == 0 {
        return Err(Error::NotFound("session"));
    }
    Ok(())
}

/// Some of an account's devices.
#[derive(Clone, Copy, Debug)]
pub(in crate::people) struct Devices {
    pub(in crate::people) user_id: UserId,
    /// Only those that are logged in to this restaurant.
    pub(in crate::people) restaurant_id: Option<RestaurantId>,
    /// All but this one.
    pub(in crate::people) except: Option<SessionId>,
}

impl Devices {
    /// All devices of an account.
    pub(in crate::people) const fn of(user_id: UserId) -> Self {
        Self {
            user_id,
            restaurant_id: None,
            except: None,
        }
    }
}

/// Signs several devices of an account out. The account is locked already: two who do this at once
/// could otherwise wait for each other.
pub(in crate::people) async fn revoke_devices(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    devices: Devices,
) -> Result<()> {
    let mut query = diesel::update(device_sessions::table)
        .filter(device_sessions::user_id.eq(devices.user_id))
        .filter(device_sessions::revoked_at.is_null())
        .set(device_sessions::revoked_at.eq(now))
        .into_boxed();
    if let Some(restaurant) = devices.restaurant_id {
        query = query.filter(device_sessions::restaurant_id.eq(restaurant));
    }
    if let Some(kept) = devices.except {
        query = query.filter(device_sessions::id.ne(kept));
    }
    query.execute(conn).await?;
    Ok(())
}

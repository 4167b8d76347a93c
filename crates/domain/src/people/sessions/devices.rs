//! Logging devices in, listing and forgetting them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::people::sessions::DeviceSession;
use wire::{ErrorCode, RestaurantId, SessionId, UserId};

use super::token::RefreshToken;
use crate::checks::{is_shown, trimmed};
use crate::clock::new_id;
use crate::error::broken_constraint;
use crate::page::{self, Page};
use crate::schema::{device_sessions, users};
use crate::{Error, Result};

/// A device that wants to log in, with an account whose password was right.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The account.
    pub user_id: UserId,
    /// The account's version when its password was verified.
    pub auth_version: i32,
    /// For which restaurant.
    pub restaurant_id: Option<RestaurantId>,
    /// What it calls itself.
    pub device_name: Option<String>,
}

/// A device that is logged in.
pub struct Opened {
    /// The device.
    pub session_id: SessionId,
    /// Its first refresh token.
    pub refresh_token: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the token.
        f.debug_struct("Opened")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

#[derive(Insertable)]
#[diesel(table_name = device_sessions)]
struct NewRow {
    id: SessionId,
    user_id: UserId,
    restaurant_id: Option<RestaurantId>,
    device_name: Option<String>,
    family_hash: Vec<u8>,
    current_hash: Vec<u8>,
    rotated_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Logs a device in, for `ttl` or until it refreshes. Must run in a transaction.
///
/// # Errors
/// `wrong_credentials` when the password was changed since it was verified: a verification takes
/// long enough for that, and a thief must not slip in while everybody is being signed out.
/// [`Error::NotFound`] without such a restaurant.
pub async fn open(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    new: &NewSession,
    ttl: TimeDelta,
) -> Result<Opened> {
    let auth_version = users::table
        .find(new.user_id)
        .select(users::auth_version)
        .for_share()
        .first::<i32>(conn)
        .await
        .optional()?;
    if auth_version != Some(new.auth_version) {
        return Err(Error::refused(
            ErrorCode::WrongCredentials,
            "The password has just been changed.",
        ));
    }
    let token = RefreshToken::first(new_id());
    diesel::insert_into(device_sessions::table)
        .values(NewRow {
            id: token.session_id,
            user_id: new.user_id,
            restaurant_id: new.restaurant_id,
            device_name: device_name(new.device_name.as_deref()),
            family_hash: token.family_hash().to_vec(),
            current_hash: token.secret_hash().to_vec(),
            rotated_at: now,
            created_at: now,
            last_used_at: now,
            expires_at: super::expiry(now, ttl),
        })
        .execute(conn)
        .await
        .map_err(|error| match broken_constraint(&error) {
            Some("device_sessions_restaurant_id_fkey") => Error::NotFound("restaurant"),
            _ => error.into(),
        })?;
    Ok(Opened {
        session_id: token.session_id,
        refresh_token: token.encode(),
    })
}

/// A name is only for showing, and is often a browser's: what is too long of it is cut off, and
/// what is not seen is left away.
fn device_name(name: Option<&str>) -> Option<String> {
    let name: String = name?
        .chars()
        .filter(|c| !c.is_control() && is_shown(*c))
        .take(100)
        .collect();
    trimmed(Some(&name))
}

/// The devices on which an account is logged in, the latest login first.
///
/// # Errors
/// [`Error::Invalid`] for a limit or cursor that cannot be.
pub async fn list(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    user_id: UserId,
    current: SessionId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<DeviceSession>> {
    type Row = (
        SessionId,
        Option<RestaurantId>,
        Option<String>,
        DateTime<Utc>,
        DateTime<Utc>,
    );
    let limit = page::limit(limit)?;
    let mut query = device_sessions::table
        .filter(device_sessions::user_id.eq(user_id))
        .filter(device_sessions::revoked_at.is_null())
        .filter(device_sessions::expires_at.gt(now))
        .select((
            device_sessions::id,
            device_sessions::restaurant_id,
            device_sessions::device_name,
            device_sessions::created_at,
            device_sessions::last_used_at,
        ))
        .order(device_sessions::id.desc())
        .limit(limit + 1)
        .into_boxed();
    if let Some(after) = page::after::<SessionId>(cursor)? {
        query = query.filter(device_sessions::id.lt(after));
    }
    let items = query
        .load::<Row>(conn)
        .await?
        .into_iter()
        .map(
            |(id, restaurant_id, device_name, created_at, last_used_at)| DeviceSession {
                id,
                restaurant_id,
                device_name,
                created_at,
                last_used_at,
                is_current: id == current,
            },
        )
        .collect();
    page::paged(items, limit, |session: &DeviceSession| session.id)
}

/// Forgets at most `batch` devices whose time is over, whether or not they were signed out before.
/// Must run in a transaction. Returns how many went.
///
/// # Errors
/// When the database is away.
pub async fn sweep_expired(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    let expired = device_sessions::table
        .filter(device_sessions::expires_at.le(now))
        .order(device_sessions::expires_at)
        .select(device_sessions::id)
        .limit(batch)
        .for_update()
        .skip_locked()
        .load::<SessionId>(conn)
        .await?;
    if expired.is_empty() {
        return Ok(0);
    }
    Ok(
        diesel::delete(device_sessions::table.filter(device_sessions::id.eq_any(expired)))
            .execute(conn)
            .await?,
    )
}

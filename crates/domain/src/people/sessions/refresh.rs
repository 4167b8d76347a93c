//! Trading a refresh token for the next one.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{RestaurantId, SessionId, UserId};

use super::standing::standing;
use super::token::RefreshToken;
use crate::schema::device_sessions;
use crate::secrets;
use crate::{Error, Result};

/// How long the token before the current one is still good.
pub const GRACE: TimeDelta = TimeDelta::seconds(60);

/// What came of a refresh token.
#[derive(Debug)]
pub enum Refreshed {
    /// It was good.
    Rotated(Rotated),
    /// It is garbage, invented, too old, or of a device that was signed out or has lost its
    /// restaurant.
    Refused,
    /// It was used before. This device has been signed out, so the transaction must be committed.
    Reused(SessionId),
}

/// A device with its next refresh token, and what its next access token has to say.
pub struct Rotated {
    /// The device.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The restaurant it is logged in to.
    pub restaurant_id: Option<RestaurantId>,
    /// The account's version as it is now.
    pub auth_version: i32,
    /// The next one.
    pub refresh_token: String,
}

impl std::fmt::Debug for Rotated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the token.
        f.debug_struct("Rotated")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

/// What the row knows of a device's tokens.
#[derive(Queryable, Selectable)]
#[diesel(table_name = device_sessions)]
struct Family {
    family_hash: Vec<u8>,
    current_hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    successor_seed: Option<Vec<u8>>,
    rotated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

/// Which of the family's tokens one is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// None: it was invented, or the family has ended.
    Stranger,
    Current,
    /// The one before the current, in its minute of grace.
    Previous {
        seed: Vec<u8>,
    },
    /// One that was used before.
    Used,
}

impl Family {
    fn place(&self, token: &RefreshToken, now: DateTime<Utc>) -> Place {
        let is_live = self.revoked_at.is_none() && self.expires_at > now;
        if !secrets::is_same(&self.family_hash, &token.family_hash()) || !is_live {
            return Place::Stranger;
        }
        let hash = token.secret_hash();
        if secrets::is_same(&self.current_hash, &hash) {
            return Place::Current;
        }
        match (&self.previous_hash, &self.successor_seed) {
            // If the current token had been used, this would not be the one before it.
            (Some(previous), Some(seed))
                if secrets::is_same(previous, &hash) && now - self.rotated_at <= GRACE =>
            {
                Place::Previous { seed: seed.clone() }
            }
            _ => Place::Used,
        }
    }
}

/// The device that a refresh token names. Whether it is the device's has to be asked for.
#[must_use]
pub fn session_of(token: &str) -> Option<SessionId> {
    RefreshToken::parse(token).map(|token| token.session_id)
}

/// Trades a refresh token for the next one, which is good for `ttl`. Must run in a transaction,
/// and all that is not an error must be committed.
///
/// # Errors
/// When the database is away.
pub async fn refresh(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    token: &str,
    ttl: TimeDelta,
) -> Result<Refreshed> {
    let Some(token) = RefreshToken::parse(token) else {
        return Ok(Refreshed::Refused);
    };
    let row = device_sessions::table.find(token.session_id);
    let Some(family) = row
        .select(Family::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?
    else {
        return Ok(Refreshed::Refused);
    };
    let place = family.place(&token, now);
    if place == Place::Stranger {
        return Ok(Refreshed::Refused);
    }
    let standing = standing(conn, now, token.session_id)
        .await?
        .ok_or_else(|| Error::Internal("a locked session is gone".to_owned()))?;
    if place == Place::Used {
        super::revoke(conn, now, token.session_id).await?;
        tracing::warn!(
            session_id = %token.session_id,
            user_id = %standing.user_id,
            "a refresh token was used twice: the device has been signed out"
        );
        return Ok(Refreshed::Reused(token.session_id));
    }
    if standing.role_now().is_none() {
        return Ok(Refreshed::Refused);
    }
    let next = match place {
        Place::Previous { seed } => {
            diesel::update(row)
                .set(device_sessions::last_used_at.eq(now))
                .execute(conn)
                .await?;
            token.successor(&seed)
        }
        Place::Current | Place::Stranger | Place::Used => {
            let seed: [u8; 32] = secrets::random();
            let next = token.successor(&seed);
            diesel::update(row)
                .set((
                    device_sessions::previous_hash.eq(family.current_hash),
                    device_sessions::current_hash.eq(next.secret_hash().as_slice()),
                    device_sessions::successor_seed.eq(seed.as_slice()),
                    device_sessions::rotated_at.eq(now),
                    device_sessions::last_used_at.eq(now),
                    device_sessions::expires_at.eq(super::expiry(now, ttl)),
                ))
                .execute(conn)
                .await?;
            next
        }
    };
    Ok(Refreshed::Rotated(Rotated {
        session_id: standing.session_id,
        user_id: standing.user_id,
        restaurant_id: standing.restaurant_id,
        auth_version: standing.auth_version,
        refresh_token: next.encode(),
    }))
}

//! What a device may do now.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::Role;
use wire::{RestaurantId, SessionId, UserId};

use crate::Result;
use crate::schema::{device_sessions, memberships, users};

/// What a device may do now, whatever its tokens say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The device.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The restaurant it is logged in to.
    pub restaurant_id: Option<RestaurantId>,
    /// Neither signed out nor expired.
    pub is_live: bool,
    /// Access tokens with another number are not to be honoured.
    pub auth_version: i32,
    /// Runs the platform.
    pub is_admin: bool,
    /// What the member may do in the restaurant; `None` for one who was deactivated or removed.
    pub role: Option<Role>,
}

impl Standing {
    /// What may be done with the device now: an admin is one everywhere, anybody else has the role
    /// of the membership. `None` when it may do nothing any more.
    #[must_use]
    pub fn role_now(&self) -> Option<Role> {
        if !self.is_live {
            None
        } else if self.is_admin {
            Some(Role::Admin)
        } else {
            self.role
        }
    }
}

type Row = (
    SessionId,
    UserId,
    Option<RestaurantId>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    i32,
    bool,
    Option<Role>,
);

/// What devices may do now, in one query. Those that are gone altogether are left out: they may
/// do nothing.
///
/// # Errors
/// When the database is away.
pub async fn standings(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    sessions: &[SessionId],
) -> Result<Vec<Standing>> {
    let is_member = memberships::user_id
        .eq(device_sessions::user_id)
        .and(memberships::is_active)
        .and(
            memberships::restaurant_id
                .nullable()
                .eq(device_sessions::restaurant_id),
        );
    let rows = device_sessions::table
        .inner_join(users::table.on(users::id.eq(device_sessions::user_id)))
        .left_join(memberships::table.on(is_member))
        .filter(device_sessions::id.eq_any(sessions))
        .select((
            device_sessions::id,
            device_sessions::user_id,
            device_sessions::restaurant_id,
            device_sessions::expires_at,
            device_sessions::revoked_at,
            users::auth_version,
            users::is_admin,
            memberships::role.nullable(),
        ))
        .load::<Row>(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(
            |(
                session_id,
                user_id,
                restaurant_id,
                expires,
                revoked,
                auth_version,
                is_admin,
                role,
            )| {
                Standing {
                    session_id,
                    user_id,
                    restaurant_id,
                    is_live: revoked.is_none() && expires > now,
                    auth_version,
                    is_admin,
                    role,
                }
            },
        )
        .collect())
}

/// What one device may do now; `None` for one that is gone altogether.
///
/// # Errors
/// When the database is away.
pub async fn standing(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    session: SessionId,
) -> Result<Option<Standing>> {
    Ok(standings(conn, now, &[session]).await?.pop())
}

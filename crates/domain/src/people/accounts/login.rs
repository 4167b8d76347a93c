//! Who is at the door, and which restaurants are theirs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::Role;
use wire::people::auth::{Me, Membership};
use wire::{RestaurantId, SessionId, UserId};

use super::find;
use crate::schema::{memberships, restaurants, users};
use crate::{Error, Result};

/// What a login needs to know of an account.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Account {
    /// The account.
    #[diesel(column_name = id)]
    pub user_id: UserId,
    /// What the password is verified against.
    pub password_hash: String,
    /// Runs the platform.
    pub is_admin: bool,
    /// Raised with every new password.
    pub auth_version: i32,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the hash.
        f.debug_struct("Account")
            .field("user_id", &self.user_id)
            .field("is_admin", &self.is_admin)
            .field("auth_version", &self.auth_version)
            .finish_non_exhaustive()
    }
}

/// The account of an address, in whatever spelling ([`crate::address`]). The caller
/// verifies a password even if there is none, so that the time it takes does not tell.
///
/// # Errors
/// When the database is away.
pub async fn for_login(conn: &mut AsyncPgConnection, email: &str) -> Result<Option<Account>> {
    // Asked for nobody, too: the number of questions would tell as well.
    let id = find(conn, email).await?.unwrap_or(UserId(Uuid::nil()));
    Ok(users::table
        .find(id)
        .select(Account::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// The restaurants that an account may enter, by name.
///
/// # Errors
/// When the database is away.
pub async fn memberships(conn: &mut AsyncPgConnection, user_id: UserId) -> Result<Vec<Membership>> {
    let rows = memberships::table
        .inner_join(restaurants::table.on(restaurants::id.eq(memberships::restaurant_id)))
        .filter(memberships::user_id.eq(user_id))
        .filter(memberships::is_active)
        .order((restaurants::name, restaurants::id))
        .select((restaurants::id, restaurants::name, memberships::role))
        .load::<(RestaurantId, String, Role)>(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, name, role)| Membership { id, name, role })
        .collect())
}

/// The restaurant that an account used last, by any of the devices on which it is or was logged
/// in; before it has used any, the one that it joined first. Only where it may enter: a restaurant
/// that it has merely joined since does not come before those that it works in.
///
/// # Errors
/// When the database is away.
pub async fn last_used(
    conn: &mut AsyncPgConnection,
    user_id: UserId,
) -> Result<Option<RestaurantId>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql_types::Uuid)]
        restaurant_id: RestaurantId,
    }
    let row = diesel::sql_query(
        "SELECT m.restaurant_id FROM memberships m \
         LEFT JOIN (SELECT restaurant_id, max(last_used_at) AS at FROM device_sessions \
            WHERE user_id = $1 GROUP BY restaurant_id) used USING (restaurant_id) \
         WHERE m.user_id = $1 AND m.is_active \
         ORDER BY used.at DESC NULLS LAST, m.created_at, m.restaurant_id LIMIT 1",
    )
    .bind::<sql_types::Uuid, _>(user_id)
    .get_result::<Row>(conn)
    .await
    .optional()?;
    Ok(row.map(|row| row.restaurant_id))
}

/// For which restaurant a login is: the one that was asked for, or the one that was used last. An
/// admin may ask for any (whether it exists shows when the device's session is opened). Who belongs
/// to none logs in all the same, and can accept an invitation.
///
/// # Errors
/// [`Error::NotFound`] for a restaurant of which the account is no member.
pub fn choose_restaurant(
    memberships: &[Membership],
    asked: Option<RestaurantId>,
    last_used: Option<RestaurantId>,
    is_admin: bool,
) -> Result<Option<RestaurantId>> {
    match asked {
        Some(id) if is_admin || memberships.iter().any(|one| one.id == id) => Ok(Some(id)),
        Some(_) => Err(Error::NotFound("restaurant")),
        None => Ok(last_used),
    }
}

/// Who is calling, with a token for `restaurant_id` and the role there that the caller was let in
/// with, if any.
///
/// # Errors
/// [`Error::NotFound`] for an account that is gone.
pub async fn me(
    conn: &mut AsyncPgConnection,
    user_id: UserId,
    session_id: SessionId,
    restaurant_id: Option<RestaurantId>,
    role: Option<Role>,
) -> Result<Me> {
    let (email, first_name, last_name, is_admin, created_at) = users::table
        .find(user_id)
        .select((
            users::email,
            users::first_name,
            users::last_name,
            users::is_admin,
            users::created_at,
        ))
        .first::<(String, String, String, bool, DateTime<Utc>)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("user"))?;
    Ok(Me {
        id: user_id,
        email,
        first_name,
        last_name,
        is_admin,
        restaurant_id,
        role,
        session_id,
        restaurants: memberships(conn, user_id).await?,
        created_at,
    })
}

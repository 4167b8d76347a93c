//! Looking at members.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::identity::users::User;
use wire::{RestaurantId, UserId};

use super::row::{COLUMNS, Member};
use crate::identity::accounts::lower;
use crate::page::{self, Page};
use crate::schema::{memberships, users};
use crate::{Error, Result};

/// The members of a restaurant, by address.
///
/// # Errors
/// [`Error::Invalid`] for a limit or cursor that cannot be.
pub async fn list(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<User>> {
    let limit = page::limit(limit)?;
    let mut query = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::restaurant_id.eq(restaurant))
        .select(COLUMNS)
        .order(lower(users::email))
        .limit(limit + 1)
        .into_boxed();
    if let Some(after) = page::after::<String>(cursor)? {
        query = query.filter(lower(users::email).gt(lower(after)));
    }
    let items = query
        .load::<Member>(conn)
        .await?
        .into_iter()
        .map(Member::into_user)
        .collect();
    page::paged(items, limit, |user: &User| user.email.clone())
}

/// One member.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: UserId,
) -> Result<User> {
    Ok(member(conn, restaurant, id).await?.into_user())
}

/// One member's rows.
pub(super) async fn member(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: UserId,
) -> Result<Member> {
    memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::restaurant_id.eq(restaurant))
        .filter(memberships::user_id.eq(id))
        .select(COLUMNS)
        .first(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("user"))
}

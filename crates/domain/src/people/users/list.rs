//! Looking at members.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::people::users::User;
use wire::{RestaurantId, UserId};

use super::row::{COLUMNS, Member};
use crate::page::{self, Page};
use crate::schema::{memberships, users};
use crate::{Error, Result};

diesel::define_sql_function! {
    /// What members are ordered by: the key of the address, or the address while it has none.
    #[sql_name = "coalesce"]
    fn key_or(key: Nullable<Text>, address: Text) -> Text;
}

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
        .select((COLUMNS, key_or(users::email_key, users::email)))
        .order(key_or(users::email_key, users::email))
        .limit(limit + 1)
        .into_boxed();
    if let Some(after) = page::after::<String>(cursor)? {
        query = query.filter(key_or(users::email_key, users::email).gt(after));
    }
    let items = query.load::<(Member, String)>(conn).await?;
    let Page { items, next } = page::paged(items, limit, |(_, key)| key.clone())?;
    Ok(Page {
        items: items
            .into_iter()
            .map(|(member, _)| member.into_user())
            .collect(),
        next,
    })
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

//! Looking at invitations.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::people::invitations::Invitation;
use wire::{InvitationId, RestaurantId, UserId};

use super::row::{AccountRow, InvitationRow};
use crate::page::{self, Page};
use crate::schema::{invitations, users};
use crate::{Error, Result};

/// The invitations of a restaurant that are kept, the latest first.
///
/// # Errors
/// [`Error::Invalid`] for a limit or cursor that cannot be.
pub async fn list(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    restaurant: RestaurantId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Invitation>> {
    let limit = page::limit(limit)?;
    let mut query = invitations::table
        .filter(invitations::restaurant_id.eq(restaurant))
        .select(InvitationRow::as_select())
        .order(invitations::id.desc())
        .limit(limit + 1)
        .into_boxed();
    if let Some(after) = page::after::<InvitationId>(cursor)? {
        query = query.filter(invitations::id.lt(after));
    }
    let rows = query.load::<InvitationRow>(conn).await?;
    // Not joined: a page has few who accepted, and a join would be planned for all that there are.
    let accepted: Vec<UserId> = rows.iter().filter_map(|row| row.accepted_by).collect();
    let accounts = users::table
        .filter(users::id.eq_any(accepted))
        .select(AccountRow::as_select())
        .load::<AccountRow>(conn)
        .await?;
    let accounts: HashMap<UserId, AccountRow> = accounts
        .into_iter()
        .map(|account| (account.id, account))
        .collect();
    let account = |id: UserId| accounts.get(&id).cloned();
    let items = rows.into_iter().map(|row| {
        let account = row.accepted_by.and_then(account);
        row.shown(account, now)
    });
    let items = items.collect();
    page::paged(items, limit, |invitation: &Invitation| invitation.id)
}

/// One invitation.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    restaurant: RestaurantId,
    id: InvitationId,
) -> Result<Invitation> {
    let (row, account) = invitations::table
        .left_join(users::table.on(invitations::accepted_by.eq(users::id.nullable())))
        .filter(invitations::restaurant_id.eq(restaurant))
        .filter(invitations::id.eq(id))
        .select((
            InvitationRow::as_select(),
            Option::<AccountRow>::as_select(),
        ))
        .first::<(InvitationRow, Option<AccountRow>)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("invitation"))?;
    Ok(row.shown(account, now))
}

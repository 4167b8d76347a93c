//! An account's own names.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::UserId;
use wire::people::auth::UpdateMe;

use crate::checks::{Checks, trim};
use crate::schema::users;
use crate::{Error, Result};

/// Gives an account other names: the fields that are present. Returns the names that it has now,
/// unless it had them before.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`].
pub async fn rename(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    id: UserId,
    patch: &UpdateMe,
) -> Result<Option<(String, String)>> {
    let (first, last) = (
        patch.first_name.as_deref().map(trim),
        patch.last_name.as_deref().map(trim),
    );
    let mut checks = Checks::new();
    checks.name("firstName", first, 0..=100);
    checks.name("lastName", last, 0..=100);
    checks.finish()?;
    let was = users::table
        .find(id)
        .select((users::first_name, users::last_name))
        .for_no_key_update()
        .first::<(String, String)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("user"))?;
    let names = (
        first.map_or_else(|| was.0.clone(), str::to_owned),
        last.map_or_else(|| was.1.clone(), str::to_owned),
    );
    if names == was {
        return Ok(None);
    }
    diesel::update(users::table.find(id))
        .set((
            users::first_name.eq(&names.0),
            users::last_name.eq(&names.1),
            users::last_updated.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(Some(names))
}

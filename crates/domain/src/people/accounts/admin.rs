//! The platform's administrators.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::UserId;

use super::{NewAccount, find, set_password};
use crate::address;
use crate::clock::new_id;
use crate::people::sessions::Devices;
use crate::schema::users;
use crate::{Error, Result};

/// What came of making an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminAccount {
    /// There was no account with the address.
    Created(UserId),
    /// There was one, and now it is an admin's, with the password that was given.
    Promoted(UserId),
    /// It was an admin's, and has a new password.
    PasswordReset(UserId),
    /// It was an admin's, and keeps its password.
    Unchanged(UserId),
}

/// Makes the account of an address an admin's. Run again, it changes nothing, unless a new password
/// is wanted. Must run in a transaction.
///
/// An account that was not an admin's gets the password too: anybody can register with an address
/// that an operator is about to name, and must not become admin by that.
///
/// # Errors
/// [`Error::Invalid`].
pub async fn create_admin(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    email: &str,
    password_hash: &str,
    resets_password: bool,
) -> Result<AdminAccount> {
    let address = address::read(email).map_err(|fault| Error::invalid("email", fault))?;
    let account = NewAccount {
        id: new_id(),
        email: address.written,
        email_key: Some(address.key),
        password_hash: password_hash.to_owned(),
        first_name: String::new(),
        last_name: String::new(),
        is_admin: true,
        home_restaurant_id: None,
        created_at: now,
        last_updated: now,
    };
    if let Some(id) = account.insert(conn).await? {
        return Ok(AdminAccount::Created(id));
    }
    let id = find(conn, email).await?.ok_or(Error::Contended)?;
    let is_admin = users::table
        .find(id)
        .select(users::is_admin)
        .for_update()
        .first::<bool>(conn)
        .await
        .optional()?
        .ok_or(Error::Contended)?;
    if is_admin && !resets_password {
        return Ok(AdminAccount::Unchanged(id));
    }
    diesel::update(users::table.find(id))
        .set(users::is_admin.eq(true))
        .execute(conn)
        .await?;
    set_password(conn, now, Devices::of(id), password_hash).await?;
    Ok(if is_admin {
        AdminAccount::PasswordReset(id)
    } else {
        AdminAccount::Promoted(id)
    })
}

//! New passwords.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{ErrorCode, SessionId, UserId};

use crate::checks::Checks;
use crate::people::sessions::{Devices, revoke_devices};
use crate::schema::{password_resets, users};
use crate::{Error, Result};

/// What an account's password is verified against.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn password_hash_of(conn: &mut AsyncPgConnection, user_id: UserId) -> Result<String> {
    users::table
        .find(user_id)
        .select(users::password_hash)
        .first(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("user"))
}

/// Whether a text can be a password, before it is hashed; `field` is where it came from.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_new_password(field: &str, password: &str) -> Result<()> {
    let mut checks = Checks::new();
    checks.password(field, password);
    checks.finish()
}

/// Gives an account a new password and signs its other devices out. `verified_hash` is the hash
/// against which the present password was verified. Must run in a transaction.
///
/// Returns the account's new version. The access tokens that are out name the old one and are not
/// honoured any more, the caller's own included; the caller's device stays logged in, and goes on
/// with the access token that it is given in reply, or with the next that it gets for its refresh
/// token.
///
/// # Errors
/// `wrong_credentials` when the password was changed since it was verified: a thief who knows the
/// old one must not undo the new one.
pub async fn change_password(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    user_id: UserId,
    current: SessionId,
    verified_hash: &str,
    new_hash: &str,
) -> Result<i32> {
    super::lock(conn, user_id).await?;
    if password_hash_of(conn, user_id).await? != verified_hash {
        return Err(Error::refused(
            ErrorCode::WrongCredentials,
            "The password has just been changed.",
        ));
    }
    let devices = Devices {
        except: Some(current),
        ..Devices::of(user_id)
    };
    set_password(conn, now, devices, new_hash).await
}

/// The account's version, which a new password raises; `None` for one that is gone.
pub(in crate::people) async fn auth_version_of(
    conn: &mut AsyncPgConnection,
    user_id: UserId,
) -> Result<Option<i32>> {
    Ok(users::table
        .find(user_id)
        .select(users::auth_version)
        .first(conn)
        .await
        .optional()?)
}

/// Writes a new password and signs devices out. A link for another one is no good any more. The
/// account is locked already.
pub(in crate::people) async fn set_password(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    devices: Devices,
    hash: &str,
) -> Result<i32> {
    let auth_version = diesel::update(users::table.find(devices.user_id))
        .set((
            users::password_hash.eq(hash),
            users::auth_version.eq(users::auth_version + 1),
            users::last_updated.eq(now),
        ))
        .returning(users::auth_version)
        .get_result(conn)
        .await?;
    let links = password_resets::table.filter(password_resets::user_id.eq(devices.user_id));
    diesel::delete(links).execute(conn).await?;
    revoke_devices(conn, now, devices).await?;
    Ok(auth_version)
}

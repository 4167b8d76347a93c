//! Accounts into which everybody can get, because their password stands in a document.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{ErrorCode, UserId};

use super::{find, password_hash_of, set_password};
use crate::people::sessions::Devices;
use crate::schema::users;
use crate::{Error, Result};

/// How many administrators are looked at. An installation has a few.
const ADMINS: i64 = 20;

/// An account that may have such a password.
#[derive(Clone)]
pub struct Suspect {
    /// The account.
    pub user_id: UserId,
    /// Its address.
    pub email: String,
    /// What its password is verified against.
    pub password_hash: String,
}

impl std::fmt::Debug for Suspect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the hash.
        f.debug_struct("Suspect")
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// The account of the demo, whose address is `demo`, and the platform's administrators.
///
/// # Errors
/// When the database is away.
pub async fn suspects(conn: &mut AsyncPgConnection, demo: &str) -> Result<Vec<Suspect>> {
    let demo = find(conn, demo).await?;
    let rows: Vec<(UserId, String, String)> = users::table
        .filter(users::is_admin.or(users::id.nullable().eq(demo)))
        .order(users::created_at)
        .select((users::id, users::email, users::password_hash))
        .limit(ADMINS)
        .load(conn)
        .await?;
    let suspects = rows.into_iter();
    Ok(suspects
        .map(|(user_id, email, password_hash)| Suspect {
            user_id,
            email,
            password_hash,
        })
        .collect())
}

/// Takes an account's password away, by giving it one that nobody knows, and signs its devices
/// out. Must run in a transaction.
///
/// # Errors
/// [`Error::Refused`] when it has another password than `verified_hash` by now.
pub async fn close(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    user_id: UserId,
    verified_hash: &str,
    nobodys_hash: &str,
) -> Result<()> {
    super::lock(conn, user_id).await?;
    if password_hash_of(conn, user_id).await? != verified_hash {
        let sentence = "The password has just been changed.";
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    set_password(conn, now, Devices::of(user_id), nobodys_hash).await?;
    Ok(())
}

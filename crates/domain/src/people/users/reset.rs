//! Links with which a member who has forgotten the password sets a new one.
//!
//! A restaurant may make one only for an account that no other restaurant trusts; whether that is
//! still so is looked at again when the link is used. Whatever changes who trusts whom ends it: the
//! member leaves or is given another role, or so is whoever made it, or the account gets a new
//! password in any way.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::audit::AuditEntity;
use wire::live::events::Action;
use wire::{ErrorCode, UserId};

use super::operations::{lock, save};
use super::rules::{check_manages, check_own_account};
use crate::audit::Entry;
use crate::db::{Actor, Scope, Tx};
use crate::people::accounts;
use crate::people::sessions::Devices;
use crate::schema::{password_resets, restaurants, users};
use crate::secrets::links::LinkSecret;
use crate::{Error, Result};

/// How long a link can be used.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct ResetFace {
    /// The restaurant that made it.
    pub restaurant_name: String,
    /// The address of the account.
    pub email: String,
}

/// For a secret that is wrong, and for one that no longer is any good: all the same.
const fn unknown() -> Error {
    Error::NotFound("link")
}

/// Makes a link for a member; an earlier one ends. Returns its secret and when it expires.
///
/// # Errors
/// [`Error::NotFound`]; `conflict` for oneself, for an account that another restaurant trusts too,
/// and for the platform's administration; `forbidden` below a manager, and for owners below an
/// owner.
pub async fn make_reset_link(tx: &mut Tx<'_>, id: UserId) -> Result<(String, DateTime<Utc>)> {
    check_manages(tx, &[])?;
    let row = lock(tx, id, true).await?;
    check_manages(tx, &[row.role])?;
    if tx.actor().user_id == Some(id) {
        return Err(Error::refused(
            ErrorCode::Conflict,
            "Change your own password where the present one is asked for.",
        ));
    }
    check_own_account(tx, &row).await?;
    let secret = LinkSecret::new(tx.restaurant_id(), id.0);
    let (hash, expires_at) = (secret.hash().to_vec(), tx.now + LIFETIME);
    let link = (
        password_resets::secret_hash.eq(hash),
        password_resets::created_by.eq(tx.actor().user_id),
        password_resets::created_at.eq(tx.now),
        password_resets::expires_at.eq(expires_at),
    );
    diesel::insert_into(password_resets::table)
        .values((
            password_resets::restaurant_id.eq(tx.restaurant_id()),
            password_resets::user_id.eq(id),
            link.clone(),
        ))
        .on_conflict((password_resets::restaurant_id, password_resets::user_id))
        .do_update()
        .set(link)
        .execute(tx.conn)
        .await?;
    tx.audit(Entry {
        entity: AuditEntity::User,
        entity_id: id.0,
        action: Action::ResetLinkMade,
        before: None,
        after: None,
    });
    Ok((secret.encode(), expires_at))
}

/// Where a link is used, and by whom as far as it says.
///
/// # Errors
/// [`Error::NotFound`] for what is no secret.
pub fn reset_scope(secret: &str) -> Result<Scope> {
    let secret = LinkSecret::parse(secret).ok_or_else(unknown)?;
    let actor = Actor {
        user_id: Some(UserId(secret.id)),
        session_id: None,
        role: wire::Role::Staff,
    };
    Ok(Scope::new(secret.restaurant_id, actor))
}

/// What a link leads to.
///
/// # Errors
/// [`Error::NotFound`] for a secret that is wrong, and for a link that was used or has ended.
pub async fn look_at_reset(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    secret: &str,
) -> Result<ResetFace> {
    let secret = LinkSecret::parse(secret).ok_or_else(unknown)?;
    let (hash, face) = password_resets::table
        .inner_join(restaurants::table.on(restaurants::id.eq(password_resets::restaurant_id)))
        .inner_join(users::table.on(users::id.eq(password_resets::user_id)))
        .filter(password_resets::restaurant_id.eq(secret.restaurant_id))
        .filter(password_resets::user_id.eq(secret.id))
        .filter(password_resets::expires_at.gt(now))
        .select((
            password_resets::secret_hash,
            (restaurants::name, users::email),
        ))
        .first::<(Vec<u8>, ResetFace)>(conn)
        .await
        .optional()?
        .ok_or_else(unknown)?;
    if secret.is_same(&hash) {
        Ok(face)
    } else {
        Err(unknown())
    }
}

/// Gives the account of a link a new password, and signs all its devices out. The link is used up.
///
/// # Errors
/// [`Error::NotFound`] as [`look_at_reset`], and when another restaurant trusts the account by now.
pub async fn reset_password(tx: &mut Tx<'_>, secret: &str, password_hash: &str) -> Result<UserId> {
    let secret = LinkSecret::parse(secret).ok_or_else(unknown)?;
    let id = UserId(secret.id);
    if secret.restaurant_id != tx.restaurant_id() {
        return Err(unknown());
    }
    let row = lock(tx, id, true).await.map_err(ended)?;
    let stored = password_resets::table
        .find((tx.restaurant_id(), id))
        .filter(password_resets::expires_at.gt(tx.now))
        .select(password_resets::secret_hash)
        .for_update()
        .first::<Vec<u8>>(tx.conn)
        .await
        .optional()?
        .ok_or_else(unknown)?;
    if !secret.is_same(&stored) {
        return Err(unknown());
    }
    check_own_account(tx, &row).await.map_err(ended)?;
    accounts::set_password(tx.conn, tx.now, Devices::of(id), password_hash).await?;
    save(tx, &row, row.clone(), Action::PasswordReset).await?;
    Ok(id)
}

/// What the state forbids is no longer any good.
fn ended(error: Error) -> Error {
    match error {
        Error::NotFound(_) | Error::Refused { .. } => unknown(),
        error => error,
    }
}

/// Ends the links of a member, and those that the member has made for others.
pub(super) async fn forget_links(tx: &mut Tx<'_>, id: UserId) -> Result<()> {
    let links = password_resets::table
        .filter(password_resets::restaurant_id.eq(tx.restaurant_id()))
        .filter(
            password_resets::user_id
                .eq(id)
                .or(password_resets::created_by.eq(id)),
        );
    diesel::delete(links).execute(tx.conn).await?;
    Ok(())
}

/// Forgets at most `batch` links whose time is over. Must run in a transaction. Returns how many
/// went.
///
/// # Errors
/// When the database is away.
pub async fn sweep_expired_resets(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    Ok(diesel::sql_query(
        "DELETE FROM password_resets WHERE (restaurant_id, user_id) IN \
         (SELECT restaurant_id, user_id FROM password_resets WHERE expires_at <= $1 \
         ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .bind::<diesel::sql_types::BigInt, _>(batch)
    .execute(conn)
    .await?)
}

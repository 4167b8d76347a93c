//! What whoever has the link of an invitation does with it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::Role;
use wire::live::events::Action;
use wire::people::invitations::{AcceptInvitation, InvitationFace};
use wire::{ErrorCode, InvitationId, SessionId, UserId};

use super::operations::{LIFETIME, lock, note};
use super::row::InvitationRow;
use crate::address;
use crate::checks::{Checks, trim};
use crate::clock::new_id;
use crate::db::{Actor, Scope, Tx};
use crate::people::accounts;
use crate::people::accounts::NewAccount;
use crate::people::users;
use crate::schema::{invitations, restaurants};
use crate::secrets::links::LinkSecret;
use crate::{Error, Result};

/// For a secret that is wrong, and for one that no longer is any good: all the same.
const fn unknown() -> Error {
    Error::NotFound("invitation")
}

/// Where an invitation is accepted, and by whom: no member yet, so with no more than the least
/// role. Without an account, by one that is to be made.
///
/// # Errors
/// [`Error::NotFound`] for what is no secret.
pub fn scope_of(secret: &str, account: Option<UserId>, device: Option<SessionId>) -> Result<Scope> {
    let restaurant = LinkSecret::parse(secret).ok_or_else(unknown)?.restaurant_id;
    let actor = Actor {
        user_id: Some(account.unwrap_or_else(new_id)),
        session_id: device,
        role: Role::Staff,
    };
    Ok(Scope::new(restaurant, actor))
}

/// What the link leads to.
///
/// # Errors
/// [`Error::NotFound`] for a secret that is wrong, and for an invitation that was taken back or has
/// expired.
pub async fn look(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    secret: &str,
) -> Result<InvitationFace> {
    let secret = LinkSecret::parse(secret).ok_or_else(unknown)?;
    let (row, name) = invitations::table
        .inner_join(restaurants::table.on(restaurants::id.eq(invitations::restaurant_id)))
        .filter(invitations::restaurant_id.eq(secret.restaurant_id))
        .filter(invitations::id.eq(secret.id))
        .select((InvitationRow::as_select(), restaurants::name))
        .first::<(InvitationRow, String)>(conn)
        .await
        .optional()?
        .filter(|(row, _)| is_good(row, &secret, now))
        .ok_or_else(unknown)?;
    Ok(face(&row, name, now))
}

fn is_good(row: &InvitationRow, secret: &LinkSecret, now: DateTime<Utc>) -> bool {
    secret.is_same(&row.secret_hash) && row.withdrawn_at.is_none() && row.expires_at > now
}

fn face(row: &InvitationRow, restaurant_name: String, now: DateTime<Utc>) -> InvitationFace {
    InvitationFace {
        restaurant_id: row.restaurant_id,
        restaurant_name,
        role: row.role,
        status: row.status(now),
        expires_at: row.expires_at,
    }
}

/// Accepts for the account that the transaction is done by. Done again, it changes nothing.
///
/// # Errors
/// [`Error::NotFound`] as [`look`]; `conflict` when another account has accepted; `already_member`.
pub async fn accept(tx: &mut Tx<'_>, secret: &str) -> Result<InvitationFace> {
    let secret = LinkSecret::parse(secret).ok_or_else(unknown)?;
    let mut row = good(tx, &secret).await?;
    let user = by(tx)?;
    take(tx, &mut row, user).await?;
    let name = name_of(tx).await?;
    Ok(face(&row, name, tx.now))
}

/// Whether the fields of a new account are right. Asked before the password is hashed, so that
/// nobody can buy a hash with nonsense.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_register(input: &AcceptInvitation) -> Result<()> {
    let mut checks = Checks::new();
    match input.email.as_deref() {
        Some(email) => checks.email("email", Some(email)),
        None => checks.fault("email", REQUIRED),
    }
    match &input.password {
        Some(password) => checks.password("password", password),
        None => checks.fault("password", REQUIRED),
    }
    checks.name("firstName", Some(trim(&input.first_name)), 0..=100);
    checks.name("lastName", Some(trim(&input.last_name)), 0..=100);
    checks.finish()
}

const REQUIRED: &str = "is required, unless you accept with the account that you are logged in to";

/// Makes the account that the transaction is done by, and accepts for it.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`] as [`look`]; `conflict` when another account has
/// accepted; `email_taken`.
pub async fn register(
    tx: &mut Tx<'_>,
    input: &AcceptInvitation,
    password_hash: &str,
) -> Result<UserId> {
    check_register(input)?;
    let secret = LinkSecret::parse(&input.secret).ok_or_else(unknown)?;
    let mut row = good(tx, &secret).await?;
    if row.accepted_by.is_some() {
        return Err(taken());
    }
    let typed = input.email.as_deref().unwrap_or_default();
    let address = address::read(typed).map_err(|fault| Error::invalid("email", fault))?;
    let account = NewAccount {
        id: by(tx)?,
        email: address.written,
        email_key: Some(address.key),
        password_hash: password_hash.to_owned(),
        first_name: trim(&input.first_name).to_owned(),
        last_name: trim(&input.last_name).to_owned(),
        is_admin: false,
        home_restaurant_id: None,
        created_at: tx.now,
        last_updated: tx.now,
    };
    let Some(user) = account.insert(tx.conn).await? else {
        return Err(Error::refused(
            ErrorCode::EmailTaken,
            "This address has an account already. Log in, and accept with it.",
        ));
    };
    take(tx, &mut row, user).await?;
    Ok(user)
}

/// The invitation of a secret, locked.
async fn good(tx: &mut Tx<'_>, secret: &LinkSecret) -> Result<InvitationRow> {
    if secret.restaurant_id != tx.restaurant_id() {
        return Err(unknown());
    }
    let row = lock(tx, InvitationId(secret.id)).await?;
    if is_good(&row, secret, tx.now) {
        Ok(row)
    } else {
        Err(unknown())
    }
}

fn by(tx: &Tx<'_>) -> Result<UserId> {
    let nobody = || Error::Internal("nobody accepts".to_owned());
    tx.actor().user_id.ok_or_else(nobody)
}

fn taken() -> Error {
    Error::refused(
        ErrorCode::Conflict,
        "Another account has accepted this invitation.",
    )
}

/// Accepts a locked invitation for an account.
async fn take(tx: &mut Tx<'_>, row: &mut InvitationRow, user: UserId) -> Result<()> {
    if row.accepted_by.is_some_and(|other| other != user) {
        return Err(taken());
    }
    if row.confirmed_at.is_some() {
        return Ok(());
    }
    if users::is_member(tx, user).await? {
        return Err(Error::refused(
            ErrorCode::AlreadyMember,
            "You are a member of this restaurant already.",
        ));
    }
    // With the password of another time it accepts anew.
    let version = accounts::auth_version_of(tx.conn, user).await?;
    if row.accepted_by == Some(user) && row.accepted_version == version {
        return Ok(());
    }
    let before = row.status(tx.now);
    row.accepted_by = Some(user);
    row.accepted_version = version;
    row.accepted_at = Some(tx.now);
    row.expires_at = tx.now + LIFETIME;
    diesel::update(invitations::table.find((tx.restaurant_id(), row.id)))
        .set((
            invitations::accepted_by.eq(row.accepted_by),
            invitations::accepted_version.eq(row.accepted_version),
            invitations::accepted_at.eq(row.accepted_at),
            invitations::expires_at.eq(row.expires_at),
        ))
        .execute(tx.conn)
        .await?;
    note(tx, row.id, Action::Accepted, before, Some(user));
    Ok(())
}

async fn name_of(tx: &mut Tx<'_>) -> Result<String> {
    Ok(restaurants::table
        .find(tx.restaurant_id())
        .select(restaurants::name)
        .first(tx.conn)
        .await?)
}

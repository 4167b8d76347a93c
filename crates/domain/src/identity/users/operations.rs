//! What can be done with a member.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::identity::Role;
use wire::identity::users::{CreateUser, UpdateUser, User};
use wire::live::events::{Action, EventKind, Gone};
use wire::{ErrorCode, UserId};

use super::input::{check_create, check_update, patched};
use super::list::{get, member};
use super::row::Member;
use super::rules::{check_manages, check_other_owner, check_own_account};
use crate::checks::trim;
use crate::clock::new_id;
use crate::db::Tx;
use crate::floor::check_version;
use crate::identity::accounts::{self, NewAccount};
use crate::identity::sessions::{Devices, revoke_devices};
use crate::identity::{address, restaurants};
use crate::schema::{memberships, users};
use crate::{Error, Result};

/// Makes an account a member; makes the account, too, if the address has none. One that is there
/// keeps its own names and password, whatever was asked.
///
/// # Errors
/// [`Error::Invalid`], for a new account without a password too; `already_member`; `forbidden`
/// below a manager, and for a new owner below an owner.
pub async fn create(
    tx: &mut Tx<'_>,
    input: &CreateUser,
    password_hash: Option<&str>,
) -> Result<User> {
    let role = input.role.unwrap_or(Role::Staff);
    check_manages(tx, &[role])?;
    check_create(input)?;
    restaurants::lock(tx).await?;
    let id = match accounts::find(tx.conn, &input.email).await? {
        Some(id) => id,
        None => new_account(tx, input, password_hash).await?,
    };
    let joined = diesel::insert_into(memberships::table)
        .values((
            memberships::restaurant_id.eq(tx.restaurant_id()),
            memberships::user_id.eq(id),
            memberships::role.eq(role),
            memberships::created_at.eq(tx.now),
            memberships::last_updated.eq(tx.now),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn)
        .await?;
    if joined == 0 {
        return Err(Error::refused(
            ErrorCode::AlreadyMember,
            "This address belongs to a member of the restaurant already.",
        ));
    }
    let user = get(tx.conn, tx.restaurant_id(), id).await?;
    tx.tell(EventKind::UserUpdated, id.0, Action::Created, &user)?;
    Ok(user)
}

/// Changes a member: the fields that are present. With `version`, only if it still has that one.
/// `password_hash` is that of the patch's password.
///
/// A new password signs the member's devices out. It shows in no field, but counts as a change: a
/// new version, and an event that says who did it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `last_owner`; `conflict` for names
/// and password that are not this restaurant's to change; `forbidden` below a manager, and for
/// owners below an owner.
pub async fn update(
    tx: &mut Tx<'_>,
    id: UserId,
    patch: &UpdateUser,
    password_hash: Option<&str>,
    version: Option<i32>,
) -> Result<User> {
    check_manages(tx, &[])?;
    let touches_account =
        patch.first_name.is_some() || patch.last_name.is_some() || password_hash.is_some();
    let row = lock(tx, id, touches_account).await?;
    let next = patched(&row, patch);
    check_manages(tx, &[row.role, next.role])?;
    check_update(patch)?;
    if patch.password.is_some() != password_hash.is_some() {
        return Err(Error::Internal(
            "a password came without its hash".to_owned(),
        ));
    }
    check_version(version, row.version, || row.clone().into_user())?;
    if next == row && password_hash.is_none() {
        return Ok(row.into_user());
    }
    if row.is_active_owner() && !next.is_active_owner() {
        check_other_owner(tx, id).await?;
    }
    if password_hash.is_some() || !next.has_names_of(&row) {
        check_own_account(tx, &row).await?;
    }
    if password_hash.is_some() && tx.actor().user_id == Some(id) {
        return Err(Error::refused(
            ErrorCode::Conflict,
            "Change your own password where the present one is asked for.",
        ));
    }
    save(tx, &row, next, password_hash).await
}

/// Takes a member out of the restaurant and signs its devices there out. The account remains, for
/// its other restaurants.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; `last_owner`; `forbidden` below a manager, and for
/// owners below an owner.
pub async fn delete(tx: &mut Tx<'_>, id: UserId, version: Option<i32>) -> Result<()> {
    check_manages(tx, &[])?;
    let row = lock(tx, id, true).await?;
    check_manages(tx, &[row.role])?;
    check_version(version, row.version, || row.clone().into_user())?;
    if row.is_active_owner() {
        check_other_owner(tx, id).await?;
    }
    diesel::delete(memberships::table.find((tx.restaurant_id(), id)))
        .execute(tx.conn)
        .await?;
    let devices = Devices {
        restaurant_id: Some(tx.restaurant_id()),
        ..Devices::of(id)
    };
    revoke_devices(tx.conn, tx.now, devices).await?;
    let gone = Gone {
        id: id.0,
        version: row.version + 1,
    };
    let before = row.into_user();
    tx.tell_changed(
        EventKind::UserUpdated,
        id.0,
        Action::Deleted,
        &before,
        &gone,
    )
}

/// The member, locked until the end of the transaction.
async fn lock(tx: &mut Tx<'_>, id: UserId, with_account: bool) -> Result<Member> {
    restaurants::lock(tx).await?;
    if with_account {
        accounts::lock(tx.conn, id).await?;
    }
    member(tx.conn, tx.restaurant_id(), id).await
}

async fn new_account(
    tx: &mut Tx<'_>,
    input: &CreateUser,
    password_hash: Option<&str>,
) -> Result<UserId> {
    let password_hash = password_hash.ok_or_else(|| {
        Error::invalid("password", "is required for an address without an account")
    })?;
    let address = address::read(&input.email).map_err(|fault| Error::invalid("email", fault))?;
    let account = NewAccount {
        id: new_id(),
        email: address.written,
        email_key: Some(address.key),
        password_hash: password_hash.to_owned(),
        first_name: trim(&input.first_name).to_owned(),
        last_name: trim(&input.last_name).to_owned(),
        is_admin: false,
        home_restaurant_id: Some(tx.restaurant_id()),
        created_at: tx.now,
        last_updated: tx.now,
    };
    // Somebody made it since we looked: look again.
    account.insert(tx.conn).await?.ok_or(Error::Contended)
}

/// Writes a changed member, and tells.
async fn save(
    tx: &mut Tx<'_>,
    row: &Member,
    mut next: Member,
    password_hash: Option<&str>,
) -> Result<User> {
    next.version += 1;
    next.last_updated = tx.now;
    diesel::update(memberships::table.find((tx.restaurant_id(), row.user_id)))
        .set((
            memberships::role.eq(next.role),
            memberships::is_active.eq(next.is_active),
            memberships::version.eq(next.version),
            memberships::last_updated.eq(next.last_updated),
        ))
        .execute(tx.conn)
        .await?;
    if !next.has_names_of(row) {
        diesel::update(users::table.find(row.user_id))
            .set((
                users::first_name.eq(&next.first_name),
                users::last_name.eq(&next.last_name),
                users::last_updated.eq(tx.now),
            ))
            .execute(tx.conn)
            .await?;
    }
    if let Some(hash) = password_hash {
        accounts::set_password(tx.conn, tx.now, Devices::of(row.user_id), hash).await?;
    }
    let action = match password_hash {
        Some(_) => Action::PasswordReset,
        None => Action::InfoUpdated,
    };
    let (before, user) = (row.clone().into_user(), next.into_user());
    tx.tell_changed(EventKind::UserUpdated, user.id.0, action, &before, &user)?;
    Ok(user)
}

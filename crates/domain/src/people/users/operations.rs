//! What can be done with a member.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::Role;
use wire::live::events::{Action, EventKind, Gone};
use wire::people::auth::UpdateMe;
use wire::people::users::{UpdateUser, User};
use wire::{ErrorCode, UserId};

use super::input::{check_update, patched};
use super::list::{get, member};
use super::reset::forget_links;
use super::row::Member;
use super::rules::{check_manages, check_other_owner};
use crate::db::Tx;
use crate::people::accounts;
use crate::people::sessions::{Devices, revoke_devices};
use crate::record::check_version;
use crate::schema::memberships;
use crate::venue::restaurants;
use crate::{Error, Result};

/// Makes an account that wants to be one a member. The restaurant and the account are locked
/// already.
///
/// # Errors
/// `already_member`.
pub(in crate::people) async fn join(tx: &mut Tx<'_>, id: UserId, role: Role) -> Result<()> {
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
            "This account belongs to a member of the restaurant already.",
        ));
    }
    let user = get(tx.conn, tx.restaurant_id(), id).await?;
    tx.tell(EventKind::UserUpdated, id.0, Action::Created, &user)
}

/// Changes a member: the fields that are present. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `last_owner`; `conflict` for other
/// names than the account has; `forbidden` below a manager, and for owners below an owner.
pub async fn update(
    tx: &mut Tx<'_>,
    id: UserId,
    patch: &UpdateUser,
    version: Option<i32>,
) -> Result<User> {
    check_manages(tx, &[])?;
    let row = lock(tx, id, false).await?;
    let next = patched(&row, patch);
    check_manages(tx, &[row.role, next.role])?;
    check_update(patch)?;
    check_version(version, row.version, || row.clone().into_user())?;
    if next == row {
        return Ok(row.into_user());
    }
    if !next.has_names_of(&row) {
        return Err(Error::refused(
            ErrorCode::Conflict,
            "An account\u{2019}s names are its own: whoever has it changes them.",
        ));
    }
    if row.is_active_owner() && !next.is_active_owner() {
        check_other_owner(tx, id).await?;
    }
    // Whoever may do less, or more, has no say by what was possible before.
    forget_links(tx, id).await?;
    save(tx, &row, next, Action::InfoUpdated).await
}

/// Gives the account that does it other names: the fields that are present. The restaurant hears of
/// it; others see it when they look.
///
/// # Errors
/// [`Error::NotFound`] for an account that is gone; [`Error::Invalid`].
pub async fn rename(tx: &mut Tx<'_>, patch: &UpdateMe) -> Result<()> {
    let nobody = || Error::Internal("nobody wants other names".to_owned());
    let id = tx.actor().user_id.ok_or_else(nobody)?;
    let row = match lock(tx, id, true).await {
        Ok(row) => Some(row),
        // The platform's administration is here and no member.
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let names = accounts::rename(tx.conn, tx.now, id, patch).await?;
    if let (Some(row), Some((first_name, last_name))) = (row, names) {
        let next = Member {
            first_name,
            last_name,
            ..row.clone()
        };
        save(tx, &row, next, Action::InfoUpdated).await?;
    }
    Ok(())
}

/// Takes a member out of the restaurant and signs its devices there out. The account remains, for
/// its other restaurants. Everybody may leave.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; `last_owner`; for others `forbidden` below a manager, and
/// for owners below an owner.
pub async fn delete(tx: &mut Tx<'_>, id: UserId, version: Option<i32>) -> Result<()> {
    let leaves = tx.actor().user_id == Some(id);
    if !leaves {
        check_manages(tx, &[])?;
    }
    let row = lock(tx, id, true).await?;
    if !leaves {
        check_manages(tx, &[row.role])?;
    }
    check_version(version, row.version, || row.clone().into_user())?;
    if row.is_active_owner() {
        check_other_owner(tx, id).await?;
    }
    forget_links(tx, id).await?;
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
pub(super) async fn lock(tx: &mut Tx<'_>, id: UserId, with_account: bool) -> Result<Member> {
    restaurants::lock(tx).await?;
    if with_account {
        accounts::lock(tx.conn, id).await?;
    }
    member(tx.conn, tx.restaurant_id(), id).await
}

/// Writes a changed member, and tells.
pub(super) async fn save(
    tx: &mut Tx<'_>,
    row: &Member,
    mut next: Member,
    action: Action,
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
    let (before, user) = (row.clone().into_user(), next.into_user());
    tx.tell_changed(EventKind::UserUpdated, user.id.0, action, &before, &user)?;
    Ok(user)
}

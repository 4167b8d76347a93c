//! Who may do what to whom.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::Role;
use wire::{ErrorCode, UserId};

use super::row::Member;
use crate::db::Tx;
use crate::schema::memberships;
use crate::{Error, Result};

/// A manager manages members, and only an owner those who have or shall have one of `roles` when
/// that is the owner's.
pub(in crate::people) fn check_manages(tx: &Tx<'_>, roles: &[Role]) -> Result<()> {
    let actor = tx.actor().role;
    if actor < Role::Manager {
        let sentence = "Only a manager may change the members.";
        return Err(Error::refused(ErrorCode::Forbidden, sentence));
    }
    if actor < Role::Owner && roles.contains(&Role::Owner) {
        let sentence = "Only an owner may make, change or remove an owner.";
        return Err(Error::refused(ErrorCode::Forbidden, sentence));
    }
    Ok(())
}

pub(super) async fn check_other_owner(tx: &mut Tx<'_>, id: UserId) -> Result<()> {
    if has_other_owner(tx, id).await? {
        return Ok(());
    }
    Err(Error::refused(
        ErrorCode::LastOwner,
        "The restaurant needs another active owner first.",
    ))
}

/// Whether the restaurant may make a link for a new password of the account: no other restaurant
/// trusts it.
pub(super) async fn check_own_account(tx: &mut Tx<'_>, member: &Member) -> Result<()> {
    let sentence = if member.is_admin {
        "This account runs the platform: its password is its own."
    } else if has_other_restaurant(tx, member.user_id).await? {
        "This account belongs to another restaurant too: its password is its own."
    } else {
        return Ok(());
    };
    Err(Error::refused(ErrorCode::Conflict, sentence))
}

/// Whether the account is a member of the restaurant, active or not.
pub(in crate::people) async fn is_member(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        memberships::table.find((tx.restaurant_id(), user_id)),
    ))
    .get_result(tx.conn)
    .await?)
}

/// Whether the restaurant has an active owner besides this one. The restaurant is locked already.
async fn has_other_owner(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        memberships::table
            .filter(memberships::restaurant_id.eq(tx.restaurant_id()))
            .filter(memberships::user_id.ne(user_id))
            .filter(memberships::role.eq(Role::Owner))
            .filter(memberships::is_active),
    ))
    .get_result(tx.conn)
    .await?)
}

/// Whether the account is a member elsewhere, active or not. The account is locked already.
async fn has_other_restaurant(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        memberships::table
            .filter(memberships::user_id.eq(user_id))
            .filter(memberships::restaurant_id.ne(tx.restaurant_id())),
    ))
    .get_result(tx.conn)
    .await?)
}

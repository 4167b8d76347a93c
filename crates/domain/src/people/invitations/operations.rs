//! What a restaurant does with its invitations.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use wire::Role;
use wire::audit::AuditEntity;
use wire::live::events::Action;
use wire::people::invitations::{ConfirmInvitation, Invitation, InvitationStatus, Invite};
use wire::{ErrorCode, InvitationId, RestaurantId, UserId};

use super::list::get;
use super::row::InvitationRow;
use crate::audit::Entry;
use crate::checks::{Checks, trimmed};
use crate::clock::new_id;
use crate::db::Tx;
use crate::people::{accounts, users};
use crate::schema::invitations;
use crate::secrets::links::LinkSecret;
use crate::venue::restaurants;
use crate::{Error, Result};

/// How long an invitation can be accepted, and how long whoever did can be confirmed.
pub(super) const LIFETIME: TimeDelta = TimeDelta::days(7);

/// How long it is shown what became of one.
const KEPT: TimeDelta = TimeDelta::days(7);

/// An invitation that has just been made.
pub struct Made {
    /// The invitation.
    pub invitation: Invitation,
    /// What is to stand in its link. It is known now and never again.
    pub secret: String,
}

/// Invites. The answer says nothing of whether the address has an account, since nobody looks.
///
/// # Errors
/// [`Error::Invalid`]; `forbidden` below a manager, and for a new owner below an owner.
pub async fn create(tx: &mut Tx<'_>, input: &Invite) -> Result<Made> {
    let role = input.role.unwrap_or(Role::Staff);
    users::check_manages(tx, &[role])?;
    let id: InvitationId = new_id();
    let secret = LinkSecret::new(tx.restaurant_id(), id.0);
    let row = InvitationRow {
        restaurant_id: tx.restaurant_id(),
        id,
        role,
        email: trimmed(input.email.as_deref()),
        first_name: trimmed(input.first_name.as_deref()),
        last_name: trimmed(input.last_name.as_deref()),
        secret_hash: secret.hash().to_vec(),
        created_by: tx.actor().user_id,
        created_at: tx.now,
        expires_at: tx.now + LIFETIME,
        accepted_by: None,
        accepted_version: None,
        accepted_at: None,
        confirmed_at: None,
        withdrawn_at: None,
    };
    check(&row)?;
    // Whoever refers to a restaurant that is not there would break a constraint.
    restaurants::lock(tx).await?;
    diesel::insert_into(invitations::table)
        .values(&row)
        .execute(tx.conn)
        .await?;
    let invitation = row.shown(None, tx.now);
    tx.audit(Entry::created(AuditEntity::Invitation, id.0, &invitation)?);
    Ok(Made {
        invitation,
        secret: secret.encode(),
    })
}

fn check(row: &InvitationRow) -> Result<()> {
    let mut checks = Checks::new();
    checks.email("email", row.email.as_deref());
    checks.name("firstName", row.first_name.as_deref(), 0..=100);
    checks.name("lastName", row.last_name.as_deref(), 0..=100);
    users::check_role(&mut checks, Some(row.role));
    checks.finish()
}

/// Makes whoever accepted a member. Done again, it changes nothing.
///
/// # Errors
/// [`Error::NotFound`]; `conflict` for one that nobody has accepted, that was taken back or has
/// expired, for another account than `input` names, and for one whose password was set by another
/// since it accepted; `already_member`; `forbidden` as for inviting.
pub async fn confirm(
    tx: &mut Tx<'_>,
    id: InvitationId,
    input: &ConfirmInvitation,
) -> Result<Invitation> {
    users::check_manages(tx, &[])?;
    restaurants::lock(tx).await?;
    let row = lock(tx, id).await?;
    users::check_manages(tx, &[row.role])?;
    let status = row.status(tx.now);
    let user = accepted(&row, status)?;
    if input.user_id.is_some_and(|named| named != user) {
        return Err(conflict(
            "Another account accepted this invitation than the one that is to be confirmed.",
        ));
    }
    if status == InvitationStatus::Accepted {
        // Whoever would take the account over, or let it into another restaurant, waits.
        accounts::lock(tx.conn, user).await?;
        if accounts::auth_version_of(tx.conn, user).await? != row.accepted_version {
            return Err(conflict(
                "The account has another password since it accepted: it is to accept again.",
            ));
        }
        users::join(tx, user, row.role).await?;
        diesel::update(invitations::table.find((tx.restaurant_id(), id)))
            .set(invitations::confirmed_at.eq(tx.now))
            .execute(tx.conn)
            .await?;
        note(tx, id, Action::Confirmed, status, Some(user));
    }
    get(tx.conn, tx.now, tx.restaurant_id(), id).await
}

/// The account that can be, or has been, confirmed.
fn accepted(row: &InvitationRow, status: InvitationStatus) -> Result<UserId> {
    let sentence = match (status, row.accepted_by) {
        (InvitationStatus::Accepted | InvitationStatus::Confirmed, Some(user)) => return Ok(user),
        (InvitationStatus::Withdrawn, _) => "This invitation was taken back.",
        (InvitationStatus::Expired, _) => "This invitation has expired: make another.",
        _ => "Nobody has accepted this invitation yet.",
    };
    Err(conflict(sentence))
}

/// Takes an invitation back, also one that was accepted.
///
/// # Errors
/// [`Error::NotFound`]; `conflict` for one whose guest is a member by now; `forbidden` as for
/// inviting.
pub async fn withdraw(tx: &mut Tx<'_>, id: InvitationId) -> Result<()> {
    users::check_manages(tx, &[])?;
    let row = lock(tx, id).await?;
    users::check_manages(tx, &[row.role])?;
    let status = row.status(tx.now);
    match status {
        InvitationStatus::Withdrawn => return Ok(()),
        InvitationStatus::Confirmed => {
            return Err(conflict(
                "Who accepted this invitation is a member: remove the member instead.",
            ));
        }
        InvitationStatus::Open | InvitationStatus::Accepted | InvitationStatus::Expired => {}
    }
    diesel::update(invitations::table.find((tx.restaurant_id(), id)))
        .set(invitations::withdrawn_at.eq(tx.now))
        .execute(tx.conn)
        .await?;
    note(tx, id, Action::Withdrawn, status, None);
    Ok(())
}

/// Tells the audit what became of an invitation.
pub(super) fn note(
    tx: &mut Tx<'_>,
    id: InvitationId,
    action: Action,
    before: InvitationStatus,
    accepted_by: Option<UserId>,
) {
    let after = match accepted_by {
        Some(user) => json!({"status": action.as_str(), "acceptedBy": user}),
        None => json!({"status": action.as_str()}),
    };
    tx.audit(Entry {
        entity: AuditEntity::Invitation,
        entity_id: id.0,
        action,
        before: Some(json!({"status": before}).to_string()),
        after: Some(after.to_string()),
    });
}

/// The invitation, locked until the end of the transaction.
pub(super) async fn lock(tx: &mut Tx<'_>, id: InvitationId) -> Result<InvitationRow> {
    find(tx.conn, tx.restaurant_id(), id)
        .await?
        .ok_or(Error::NotFound("invitation"))
}

async fn find(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: InvitationId,
) -> Result<Option<InvitationRow>> {
    Ok(invitations::table
        .find((restaurant, id))
        .select(InvitationRow::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

fn conflict(sentence: &str) -> Error {
    Error::refused(ErrorCode::Conflict, sentence)
}

/// Forgets at most `batch` invitations that came to their end long enough ago, and the notes on
/// them. Must run in a transaction. Returns how many went.
///
/// # Errors
/// When the database is away.
pub async fn sweep_expired(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    Ok(diesel::sql_query(
        "DELETE FROM invitations WHERE (restaurant_id, id) IN \
         (SELECT restaurant_id, id FROM invitations WHERE expires_at <= $1 \
         ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(now - KEPT)
    .bind::<diesel::sql_types::BigInt, _>(batch)
    .execute(conn)
    .await?)
}

//! What invitations note of a person who wants to be forgotten, or to know what is kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::people::invitations::Invitation;
use wire::{InvitationId, RestaurantId};

use super::row::InvitationRow;
use crate::Result;
use crate::db::Tx;
use crate::schema::invitations;

/// The invitations among some ids, by id.
pub(crate) async fn some(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<Invitation>> {
    let rows = invitations::table
        .filter(invitations::restaurant_id.eq(restaurant))
        .filter(invitations::id.eq_any(ids))
        .order(invitations::id)
        .select(InvitationRow::as_select())
        .load::<InvitationRow>(conn)
        .await?;
    // Who accepted may be somebody else than whom the notes are about.
    Ok(rows.into_iter().map(|row| row.shown(None, now)).collect())
}

/// Locks the invitations among some ids, in the one order.
pub(crate) async fn lock_rows(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<()> {
    invitations::table
        .filter(invitations::restaurant_id.eq(tx.restaurant_id()))
        .filter(invitations::id.eq_any(ids))
        .order(invitations::id)
        .select(invitations::id)
        .for_update()
        .load::<InvitationId>(tx.conn)
        .await?;
    Ok(())
}

/// Takes the notes off locked invitations. Returns how many had any.
pub(crate) async fn erase(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<usize> {
    let has_notes = invitations::email
        .is_not_null()
        .or(invitations::first_name.is_not_null())
        .or(invitations::last_name.is_not_null());
    let of = invitations::table
        .filter(invitations::restaurant_id.eq(tx.restaurant_id()))
        .filter(invitations::id.eq_any(ids))
        .filter(has_notes);
    Ok(diesel::update(of)
        .set((
            invitations::email.eq(None::<String>),
            invitations::first_name.eq(None::<String>),
            invitations::last_name.eq(None::<String>),
        ))
        .execute(tx.conn)
        .await?)
}

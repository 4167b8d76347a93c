//! What invitations note of a person who wants to be forgotten, or to know what is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::people::invitations::Invitation;
use wire::privacy::{Erased, PersonExport};
use wire::{InvitationId, RestaurantId};

use super::row::InvitationRow;
use crate::Result;
use crate::db::Tx;
use crate::privacy::things::{Asked, Locked, OfPeople};
use crate::record::lock_by_id;
use crate::schema::invitations;

/// The invitations among some ids, by id.
async fn some(
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

/// Invitations that may be a person's.
pub(crate) struct OfPerson;

#[async_trait]
impl OfPeople for OfPerson {
    fn found_by(&self) -> &'static [&'static str] {
        &[
            "SELECT id, email FROM invitations WHERE restaurant_id = $1 \
           AND lower(email) = ANY(ARRAY(SELECT lower(said) FROM unnest($3) AS said))",
        ]
    }

    async fn export(
        &self,
        conn: &mut AsyncPgConnection,
        asked: Asked<'_>,
        into: &mut PersonExport,
    ) -> Result<()> {
        into.invitations = some(conn, asked.now, asked.restaurant, asked.ids).await?;
        Ok(())
    }

    async fn lock(&self, tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Box<dyn Locked>> {
        let locked = lock_by_id!(tx, invitations, ids, invitations::id);
        Ok(Box::new(Invitations(locked)))
    }
}

/// Locked invitations.
struct Invitations(Vec<InvitationId>);

#[async_trait]
impl Locked for Invitations {
    async fn erase(self: Box<Self>, tx: &mut Tx<'_>, erased: &mut Erased) -> Result<()> {
        erased.invitations = erase(tx, &self.0).await?;
        Ok(())
    }
}

/// Takes the notes off locked invitations. Returns how many had any.
async fn erase(tx: &mut Tx<'_>, ids: &[InvitationId]) -> Result<usize> {
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

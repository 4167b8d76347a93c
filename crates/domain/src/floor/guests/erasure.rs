//! Parties of a person who wants to be forgotten, or to know what is kept.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::floor::guests::Guest;
use wire::privacy::{Erased, PersonExport};
use wire::{RestaurantId, TableId};

use super::row::{GuestRow, its_tables};
use crate::Result;
use crate::db::Tx;
use crate::floor::seating;
use crate::privacy::NOBODY;
use crate::privacy::things::{Asked, Locked, OfPeople};
use crate::record::{Record, Stored, lock_by_id};
use crate::schema::guests;

/// The parties among some ids, by id.
async fn some(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<Guest>> {
    let rows = rows(conn, restaurant, ids).await?.into_iter();
    Ok(rows.map(|(row, tables)| row.with_tables(tables)).collect())
}

/// Their rows, with the tables at which they sit, by id.
pub(super) async fn rows(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<(GuestRow, Vec<TableId>)>> {
    Ok(guests::table
        .filter(guests::restaurant_id.eq(restaurant))
        .filter(guests::id.eq_any(ids))
        .order(guests::id)
        .select((GuestRow::as_select(), its_tables()))
        .load(conn)
        .await?)
}

/// Parties that may be a person's.
pub(crate) struct OfPerson;

#[async_trait]
impl OfPeople for OfPerson {
    fn found_by(&self) -> &'static [&'static str] {
        &[
            "SELECT id, NULL AS email FROM guests WHERE restaurant_id = $1 \
             AND (phone_digits = ANY($2) OR reservation_id = ANY($4))",
            "SELECT id, email FROM guests WHERE restaurant_id = $1 \
             AND lower(email) = ANY(ARRAY(SELECT lower(said) FROM unnest($3) AS said))",
            // The bookings of those that were found.
            "SELECT reservation_id, NULL FROM guests WHERE restaurant_id = $1 AND id = ANY($4) \
             AND reservation_id IS NOT NULL",
        ]
    }

    async fn export(
        &self,
        conn: &mut AsyncPgConnection,
        asked: Asked<'_>,
        into: &mut PersonExport,
    ) -> Result<()> {
        into.guests = some(conn, asked.restaurant, asked.ids).await?;
        Ok(())
    }

    async fn lock(&self, tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Box<dyn Locked>> {
        let rows = lock_by_id!(tx, guests, ids, GuestRow::as_select());
        Ok(Box::new(Parties(rows)))
    }
}

/// Locked rows of parties.
struct Parties(Vec<GuestRow>);

#[async_trait]
impl Locked for Parties {
    async fn erase(self: Box<Self>, tx: &mut Tx<'_>, erased: &mut Erased) -> Result<()> {
        erased.guests = erase(tx, *self).await?;
        Ok(())
    }
}

/// Takes the values out of parties and tells, but not the audit. Returns how many had any.
async fn erase(tx: &mut Tx<'_>, parties: Parties) -> Result<usize> {
    let mut count = 0;
    for row in parties.0 {
        let mut next = GuestRow {
            guest_name: NOBODY.to_owned(),
            first_name: None,
            last_name: None,
            phone: None,
            email: None,
            notes: None,
            special_requests: None,
            dietary_restrictions: Vec::new(),
            tags: Vec::new(),
            secret_hash: None,
            ..row.clone()
        };
        if next == row {
            continue;
        }
        next.write(tx).await?;
        let tables = seating::held(tx, row.id).await?;
        let before = row.at(tables.clone());
        next.at(tables).tell_erased(tx, &before)?;
        count += 1;
    }
    Ok(count)
}

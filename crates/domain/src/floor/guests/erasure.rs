//! Parties of a person who wants to be forgotten, or to know what is kept.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::floor::guests::Guest;
use wire::{RestaurantId, TableId};

use super::row::{GuestRow, its_tables};
use crate::Result;
use crate::db::Tx;
use crate::floor::seating;
use crate::privacy::NOBODY;
use crate::record::{Record, Stored};
use crate::schema::guests;

/// The parties among some ids, by id.
pub(crate) async fn some(
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

/// Locked rows of parties.
pub(crate) struct Parties(Vec<GuestRow>);

/// Locks the parties among some ids, in the one order.
pub(crate) async fn lock_rows(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Parties> {
    let rows = guests::table
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::id.eq_any(ids))
        .order(guests::id)
        .select(GuestRow::as_select())
        .for_update()
        .load(tx.conn)
        .await?;
    Ok(Parties(rows))
}

/// Takes the values out of parties and tells, but not the audit. Returns how many had any.
pub(crate) async fn erase(tx: &mut Tx<'_>, parties: Parties) -> Result<usize> {
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
            ..row.clone()
        };
        if next == row {
            continue;
        }
        next.write(tx).await?;
        let tables = seating::held(tx, row.id).await?;
        next.at(tables).tell_erased(tx)?;
        count += 1;
    }
    Ok(count)
}

//! Bookings of a person who wants to be forgotten, or to know what is kept.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::RestaurantId;
use wire::floor::reservations::Reservation;
use wire::privacy::{Erased, PersonExport};

use super::row::ReservationRow;
use crate::Result;
use crate::db::Tx;
use crate::privacy::NOBODY;
use crate::privacy::things::{Asked, Locked, OfPeople};
use crate::record::{Record, Stored, lock_by_id};
use crate::schema::reservations;

/// The bookings among some ids, by id.
pub(crate) async fn some(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<Reservation>> {
    let rows = reservations::table
        .filter(reservations::restaurant_id.eq(restaurant))
        .filter(reservations::id.eq_any(ids))
        .order(reservations::id)
        .select(ReservationRow::as_select())
        .load::<ReservationRow>(conn)
        .await?;
    Ok(rows.into_iter().map(Reservation::from).collect())
}

/// Bookings that may be a person's.
pub(crate) struct OfPerson;

#[async_trait]
impl OfPeople for OfPerson {
    fn found_by(&self) -> &'static [&'static str] {
        &[
            "SELECT id, NULL AS email FROM reservations WHERE restaurant_id = $1 \
             AND (regexp_replace(guest_phone, '[^0-9]', '', 'g') = ANY($2) OR guest_id = ANY($4))",
            "SELECT id, guest_email FROM reservations WHERE restaurant_id = $1 \
             AND lower(guest_email) = ANY(ARRAY(SELECT lower(said) FROM unnest($3) AS said))",
            // The parties of those that were found.
            "SELECT guest_id, NULL FROM reservations WHERE restaurant_id = $1 AND id = ANY($4) \
             AND guest_id IS NOT NULL",
        ]
    }

    async fn export(
        &self,
        conn: &mut AsyncPgConnection,
        asked: Asked<'_>,
        into: &mut PersonExport,
    ) -> Result<()> {
        into.reservations = some(conn, asked.restaurant, asked.ids).await?;
        Ok(())
    }

    async fn lock(&self, tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Box<dyn Locked>> {
        let rows = lock_by_id!(tx, reservations, ids, ReservationRow::as_select());
        Ok(Box::new(Bookings(rows)))
    }
}

/// Locked rows of bookings.
struct Bookings(Vec<ReservationRow>);

#[async_trait]
impl Locked for Bookings {
    async fn erase(self: Box<Self>, tx: &mut Tx<'_>, erased: &mut Erased) -> Result<()> {
        erased.reservations = erase(tx, *self).await?;
        Ok(())
    }
}

/// Takes the values out of bookings and tells, but not the audit. Returns how many had any.
async fn erase(tx: &mut Tx<'_>, bookings: Bookings) -> Result<usize> {
    let mut count = 0;
    for row in bookings.0 {
        let mut next = ReservationRow {
            guest_name: NOBODY.to_owned(),
            guest_phone: None,
            guest_email: None,
            notes: None,
            special_requests: None,
            secret_hash: None,
            ..row.clone()
        };
        if next == row {
            continue;
        }
        next.write(tx).await?;
        next.tell_erased(tx, &row)?;
        count += 1;
    }
    Ok(count)
}

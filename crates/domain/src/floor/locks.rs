//! What changes of the floor touch, and how it is locked: the bookings of parties and the parties of
//! bookings, their tables and those of holds, and all who wait where the list may change.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;
use wire::{GuestId, HoldId, ReservationId, TableId};

use super::guests as parties;
use crate::Result;
use crate::db::Tx;
use crate::record::lock_by_id;
use crate::schema::{guests, holds, reservations, seatings, tables};
use crate::together::locks::{Reach, Reached, Rows, Touched};

const TABLES: &str = "tables";
const PARTIES: &str = "guests";
const BOOKINGS: &str = "reservations";

/// What changes name.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnFloor {
    pub(crate) tables: Vec<TableId>,
    pub(crate) parties: Vec<GuestId>,
    pub(crate) bookings: Vec<ReservationId>,
    pub(crate) holds: Vec<HoldId>,
    /// The waiting list may change.
    pub(crate) waiting_list: bool,
    /// The house will choose tables.
    pub(crate) any_table: bool,
}

/// What they lead to.
pub(crate) struct OfFloor;

#[async_trait]
impl Reach for OfFloor {
    fn begins_with_restaurant(&self, touched: &Touched) -> bool {
        let touched = touched.get::<OnFloor>();
        touched.any_table || touched.waiting_list
    }

    async fn reach(&self, tx: &mut Tx<'_>, touched: &Touched, reached: &mut Reached) -> Result<()> {
        let touched = touched.get::<OnFloor>();
        let restaurant = tx.restaurant_id();
        reached.add(TABLES, touched.tables.iter().copied());
        reached.add(PARTIES, touched.parties.iter().copied());
        reached.add(BOOKINGS, touched.bookings.iter().copied());
        if !touched.parties.is_empty() {
            let theirs = guests::table
                .filter(guests::restaurant_id.eq(restaurant))
                .filter(guests::id.eq_any(&touched.parties))
                .filter(guests::reservation_id.is_not_null())
                .select(guests::reservation_id.assume_not_null())
                .load::<ReservationId>(tx.conn)
                .await?;
            reached.add(BOOKINGS, theirs);
        }
        let bookings: Vec<ReservationId> = reached.of(BOOKINGS);
        if !bookings.is_empty() {
            let theirs = reservations::table
                .filter(reservations::restaurant_id.eq(restaurant))
                .filter(reservations::id.eq_any(bookings))
                .select((reservations::table_ids, reservations::guest_id))
                .load::<(Vec<TableId>, Option<GuestId>)>(tx.conn)
                .await?;
            for (tables, party) in theirs {
                reached.add(TABLES, tables);
                reached.add(PARTIES, party);
            }
        }
        if !touched.holds.is_empty() {
            let theirs = holds::table
                .filter(holds::restaurant_id.eq(restaurant))
                .filter(holds::id.eq_any(&touched.holds))
                .select(holds::table_ids)
                .load::<Vec<TableId>>(tx.conn)
                .await?;
            reached.add(TABLES, theirs.into_iter().flatten());
        }
        if touched.any_table {
            let all = tables::table
                .filter(tables::restaurant_id.eq(restaurant))
                .filter(tables::is_active)
                .select(tables::id)
                .load::<TableId>(tx.conn)
                .await?;
            reached.add(TABLES, all);
        }
        let parties: Vec<GuestId> = reached.of(PARTIES);
        if !parties.is_empty() {
            let theirs = seatings::table
                .filter(seatings::restaurant_id.eq(restaurant))
                .filter(seatings::guest_id.eq_any(parties))
                .select(seatings::table_id)
                .load::<TableId>(tx.conn)
                .await?;
            reached.add(TABLES, theirs);
        }
        Ok(())
    }
}

/// Tables.
pub(crate) struct OfTables;

#[async_trait]
impl Rows for OfTables {
    async fn lock(&self, tx: &mut Tx<'_>, _: &Touched, reached: &Reached) -> Result<()> {
        let ids: Vec<TableId> = reached.of(TABLES);
        if !ids.is_empty() {
            let _: Vec<Uuid> = lock_by_id!(tx, tables, ids, tables::id);
        }
        Ok(())
    }
}

/// Parties, and all who wait.
pub(crate) struct OfParties;

#[async_trait]
impl Rows for OfParties {
    async fn lock(&self, tx: &mut Tx<'_>, touched: &Touched, reached: &Reached) -> Result<()> {
        let ids: Vec<GuestId> = reached.of(PARTIES);
        if touched.get::<OnFloor>().waiting_list {
            parties::lock_queue(tx, &ids).await?;
        } else if !ids.is_empty() {
            let _: Vec<Uuid> = lock_by_id!(tx, guests, ids, guests::id);
        }
        Ok(())
    }
}

/// Bookings.
pub(crate) struct OfBookings;

#[async_trait]
impl Rows for OfBookings {
    async fn lock(&self, tx: &mut Tx<'_>, _: &Touched, reached: &Reached) -> Result<()> {
        let ids: Vec<ReservationId> = reached.of(BOOKINGS);
        if !ids.is_empty() {
            let _: Vec<Uuid> = lock_by_id!(tx, reservations, ids, reservations::id);
        }
        Ok(())
    }
}

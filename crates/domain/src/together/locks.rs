//! Locking all that several changes will touch, before the first of them: in the one order, so that
//! the operations find everything locked and two such transactions never wait for each other.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::{GuestId, HoldId, ReservationId, TableId};

use crate::db::Tx;
use crate::floor::guests as parties;
use crate::schema::{guests, holds, reservations, seatings, tables};
use crate::venue::restaurants;
use crate::{Error, Result};

/// What changes name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    pub(crate) tables: Vec<TableId>,
    pub(crate) parties: Vec<GuestId>,
    pub(crate) bookings: Vec<ReservationId>,
    pub(crate) holds: Vec<HoldId>,
    /// The waiting list may change.
    pub(crate) waiting_list: bool,
    /// The house will choose tables.
    pub(crate) any_table: bool,
}

/// What they name and what goes with it, each by id.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reached {
    tables: Vec<TableId>,
    parties: Vec<GuestId>,
    bookings: Vec<ReservationId>,
}

/// Locks what the changes name and what goes with it: the bookings of parties and the parties of
/// bookings, their tables and those of holds, and all who wait where the list may change.
///
/// # Errors
/// [`Error::Contended`] when somebody moved one of them meanwhile.
pub(crate) async fn lock_all(tx: &mut Tx<'_>, touched: &Touched) -> Result<()> {
    if touched.any_table || touched.waiting_list {
        restaurants::lock(tx).await?;
    }
    let reached = reach(tx, touched).await?;
    let restaurant = tx.restaurant_id();
    if !reached.tables.is_empty() {
        tables::table
            .filter(tables::restaurant_id.eq(restaurant))
            .filter(tables::id.eq_any(&reached.tables))
            .order(tables::id)
            .select(tables::id)
            .for_update()
            .load::<TableId>(tx.conn)
            .await?;
    }
    if touched.waiting_list {
        parties::lock_queue(tx, &reached.parties).await?;
    } else if !reached.parties.is_empty() {
        guests::table
            .filter(guests::restaurant_id.eq(restaurant))
            .filter(guests::id.eq_any(&reached.parties))
            .order(guests::id)
            .select(guests::id)
            .for_update()
            .load::<GuestId>(tx.conn)
            .await?;
    }
    if !reached.bookings.is_empty() {
        reservations::table
            .filter(reservations::restaurant_id.eq(restaurant))
            .filter(reservations::id.eq_any(&reached.bookings))
            .order(reservations::id)
            .select(reservations::id)
            .for_update()
            .load::<ReservationId>(tx.conn)
            .await?;
    }
    if reach(tx, touched).await? == reached {
        Ok(())
    } else {
        Err(Error::Contended)
    }
}

async fn reach(tx: &mut Tx<'_>, touched: &Touched) -> Result<Reached> {
    let restaurant = tx.restaurant_id();
    let mut reached = Reached {
        tables: touched.tables.clone(),
        parties: touched.parties.clone(),
        bookings: touched.bookings.clone(),
    };
    if !touched.parties.is_empty() {
        let theirs = guests::table
            .filter(guests::restaurant_id.eq(restaurant))
            .filter(guests::id.eq_any(&touched.parties))
            .filter(guests::reservation_id.is_not_null())
            .select(guests::reservation_id.assume_not_null())
            .load::<ReservationId>(tx.conn)
            .await?;
        reached.bookings.extend(theirs);
    }
    if !reached.bookings.is_empty() {
        let theirs = reservations::table
            .filter(reservations::restaurant_id.eq(restaurant))
            .filter(reservations::id.eq_any(&reached.bookings))
            .select((reservations::table_ids, reservations::guest_id))
            .load::<(Vec<TableId>, Option<GuestId>)>(tx.conn)
            .await?;
        for (tables, party) in theirs {
            reached.tables.extend(tables);
            reached.parties.extend(party);
        }
    }
    if !touched.holds.is_empty() {
        let theirs = holds::table
            .filter(holds::restaurant_id.eq(restaurant))
            .filter(holds::id.eq_any(&touched.holds))
            .select(holds::table_ids)
            .load::<Vec<TableId>>(tx.conn)
            .await?;
        reached.tables.extend(theirs.into_iter().flatten());
    }
    if touched.any_table {
        let all = tables::table
            .filter(tables::restaurant_id.eq(restaurant))
            .filter(tables::is_active)
            .select(tables::id)
            .load::<TableId>(tx.conn)
            .await?;
        reached.tables.extend(all);
    }
    reached.parties.sort_unstable();
    reached.parties.dedup();
    if !reached.parties.is_empty() {
        let theirs = seatings::table
            .filter(seatings::restaurant_id.eq(restaurant))
            .filter(seatings::guest_id.eq_any(&reached.parties))
            .select(seatings::table_id)
            .load::<TableId>(tx.conn)
            .await?;
        reached.tables.extend(theirs);
    }
    reached.tables.sort_unstable();
    reached.tables.dedup();
    reached.bookings.sort_unstable();
    reached.bookings.dedup();
    Ok(reached)
}

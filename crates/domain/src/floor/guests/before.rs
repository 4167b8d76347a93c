//! Where a party is before it is locked: the restaurant and tables are locked before parties, so
//! which ones is looked up first, and compared once the party is locked.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::floor::guests::{GuestStatus, UpdateGuest};
use wire::{GuestId, TableId};

use super::row::its_tables;
use crate::db::Tx;
use crate::schema::{guests, reservations};
use crate::{Error, Result};

/// Where a party is, as far as can be seen without a lock.
pub(super) struct Before {
    pub(super) status: GuestStatus,
    pub(super) held: Vec<TableId>,
    /// The tables of the booking from which it comes.
    booked: Vec<TableId>,
}

impl Before {
    /// All tables on which a change of the party may show.
    pub(super) fn tables(&self) -> impl Iterator<Item = &TableId> {
        self.held.iter().chain(&self.booked)
    }

    /// Whether a change concerns the others who wait.
    pub(super) fn is_queue_changed(&self, patch: &UpdateGuest, wanted: Option<&[TableId]>) -> bool {
        let is_given_table = wanted.is_some_and(|tables| !tables.is_empty());
        let to = match patch.status {
            Some(status) => status,
            None if is_given_table => GuestStatus::Seated,
            None => self.status,
        };
        patch.wait_position.is_some() || self.status.is_waiting() != to.is_waiting()
    }
}

/// Looks a party up.
pub(super) async fn look(tx: &mut Tx<'_>, id: GuestId) -> Result<Before> {
    let (status, held, booked) = guests::table
        .left_join(
            reservations::table.on(reservations::restaurant_id
                .eq(guests::restaurant_id)
                .and(reservations::id.nullable().eq(guests::reservation_id))),
        )
        .filter(guests::restaurant_id.eq(tx.restaurant_id()))
        .filter(guests::id.eq(id))
        .select((
            guests::status,
            its_tables(),
            reservations::table_ids.nullable(),
        ))
        .first::<(GuestStatus, Vec<TableId>, Option<Vec<TableId>>)>(tx.conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("guest"))?;
    Ok(Before {
        status,
        held,
        booked: booked.unwrap_or_default(),
    })
}

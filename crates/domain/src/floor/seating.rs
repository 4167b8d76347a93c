//! Who sits where: taking and freeing tables.
//!
//! Everyone who moves a party locks the tables first, by id, then the party; so two tablets that
//! seat two parties at one table meet at the table's row, and the second finds it taken. The key
//! of `seatings` would refuse it all the same.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::Role;
use wire::floor::tables::TableStatus;
use wire::{ErrorCode, GuestId, RestaurantId, TableId};

use super::guests::Leave;
use super::tables::{TableRow, TableState};
use crate::db::{Actor, Tx};
use crate::error::broken_constraint;
use crate::record::{Record, lock_by_id};
use crate::schema::{seatings, tables};
use crate::venue::restaurants;
use crate::{Error, Result};

/// Tables whose rows are locked until the end of the transaction, and who sits at them.
#[derive(Debug, Default)]
pub(crate) struct Locked {
    tables: Vec<TableRow>,
    parties: Vec<(TableId, GuestId)>,
}

#[derive(Insertable)]
#[diesel(table_name = seatings)]
struct SeatingRow {
    restaurant_id: RestaurantId,
    table_id: TableId,
    guest_id: GuestId,
    ordinal: i16,
}

/// The tables of a party, in their order.
pub(super) async fn held(tx: &mut Tx<'_>, guest: GuestId) -> Result<Vec<TableId>> {
    Ok(seatings::table
        .filter(seatings::restaurant_id.eq(tx.restaurant_id()))
        .filter(seatings::guest_id.eq(guest))
        .order(seatings::ordinal)
        .select(seatings::table_id)
        .load(tx.conn)
        .await?)
}

/// Locks tables, in the one order. Those that do not exist are left out.
pub(super) async fn lock(tx: &mut Tx<'_>, ids: &[TableId]) -> Result<Locked> {
    if ids.is_empty() {
        return Ok(Locked::default());
    }
    let rows = lock_by_id!(tx, tables, ids, TableRow::as_select());
    with_parties(tx, rows).await
}

/// Looks at tables without locking them.
pub(super) async fn look(tx: &mut Tx<'_>, ids: &[TableId]) -> Result<Locked> {
    let rows = tables::table
        .filter(tables::restaurant_id.eq(tx.restaurant_id()))
        .filter(tables::id.eq_any(ids))
        .select(TableRow::as_select())
        .load(tx.conn)
        .await?;
    with_parties(tx, rows).await
}

async fn with_parties(tx: &mut Tx<'_>, rows: Vec<TableRow>) -> Result<Locked> {
    let ids: Vec<TableId> = rows.iter().map(|row| row.id).collect();
    let parties = seatings::table
        .filter(seatings::restaurant_id.eq(tx.restaurant_id()))
        .filter(seatings::table_id.eq_any(&ids))
        .select((seatings::table_id, seatings::guest_id))
        .load(tx.conn)
        .await?;
    Ok(Locked {
        tables: rows,
        parties,
    })
}

impl Locked {
    /// The table's row.
    pub(super) fn table(&self, id: TableId) -> Result<&TableRow> {
        self.tables
            .iter()
            .find(|table| table.id == id)
            .ok_or(Error::NotFound("table"))
    }

    /// The party at a table.
    pub(super) fn party(&self, id: TableId) -> Option<GuestId> {
        self.parties
            .iter()
            .find(|(table, _)| *table == id)
            .map(|(_, guest)| *guest)
    }

    /// Whether a party may sit at `tables`: they exist, are in use, nobody else sits there, and
    /// together they have the seats, unless a manager says that it will do.
    pub(super) fn check_can_seat(
        &self,
        actor: Actor,
        guest: GuestId,
        party_size: i32,
        tables: &[TableId],
        allow_over_capacity: bool,
    ) -> Result<()> {
        let mut seats = 0;
        for id in tables {
            let table = self.table(*id)?;
            if !table.is_active {
                return Err(Error::NotFound("table"));
            }
            if self.party(*id).is_some_and(|party| party != guest) {
                return Err(occupied(&format!(
                    "Table {} has a party already.",
                    table.table_number
                )));
            }
            if table.status == TableStatus::OutOfService {
                return Err(occupied(&format!(
                    "Table {} is out of service.",
                    table.table_number
                )));
            }
            seats += table.capacity;
        }
        check_seats(actor, party_size, tables, seats, allow_over_capacity)
    }

    /// Whether tables may be booked for a party: they exist, are in use, and together they have the
    /// seats. Who sits there now, and whether a table is out of service, does not matter.
    pub(super) fn check_bookable(
        &self,
        actor: Actor,
        party_size: i32,
        tables: &[TableId],
        allow_over_capacity: bool,
    ) -> Result<()> {
        let mut seats = 0;
        for id in tables {
            let table = self.table(*id)?;
            if !table.is_active {
                return Err(Error::NotFound("table"));
            }
            seats += table.capacity;
        }
        check_seats(actor, party_size, tables, seats, allow_over_capacity)
    }
}

/// Whether a party fits, or a manager says that it will do.
fn check_seats(
    actor: Actor,
    party_size: i32,
    tables: &[TableId],
    seats: i32,
    allow_over_capacity: bool,
) -> Result<()> {
    if tables.is_empty() || party_size <= seats {
        return Ok(());
    }
    if !allow_over_capacity {
        let sentence = format!("A party of {party_size} does not fit: there are {seats} seats.");
        return Err(Error::refused(ErrorCode::PartyTooLarge, sentence));
    }
    let sentence = "Only a manager may seat more guests than a table has seats.";
    actor.check_role(Role::Manager, sentence)
}

fn occupied(sentence: &str) -> Error {
    Error::refused(ErrorCode::TableOccupied, sentence)
}

/// Moves a party from the tables that it holds to others, and tells of every table whose party
/// changed. Whether it may was checked before.
pub(super) async fn apply(
    tx: &mut Tx<'_>,
    locked: Locked,
    guest: GuestId,
    before: &[TableId],
    after: &[TableId],
    leave: Leave,
) -> Result<()> {
    if before == after {
        return Ok(());
    }
    let restaurant_id = tx.restaurant_id();
    if !before.is_empty() {
        diesel::delete(
            seatings::table
                .filter(seatings::restaurant_id.eq(restaurant_id))
                .filter(seatings::guest_id.eq(guest)),
        )
        .execute(tx.conn)
        .await?;
    }
    if !after.is_empty() {
        let rows: Vec<SeatingRow> = (0_i16..)
            .zip(after)
            .map(|(ordinal, table)| SeatingRow {
                restaurant_id,
                table_id: *table,
                guest_id: guest,
                ordinal,
            })
            .collect();
        diesel::insert_into(seatings::table)
            .values(rows)
            .execute(tx.conn)
            .await
            .map_err(|error| match broken_constraint(&error) {
                Some("seatings_pkey") => occupied("Another party was seated there first."),
                _ => error.into(),
            })?;
    }
    let freed_status = if leave == Leave::Used
        && before.iter().any(|table| !after.contains(table))
        && restaurants::calendar_in(tx)
            .await?
            .settings
            .floor
            .needs_cleaning
    {
        TableStatus::NeedsCleaning
    } else {
        TableStatus::Available
    };
    for table in locked.tables {
        let (was, is) = (before.contains(&table.id), after.contains(&table.id));
        let (status, party) = match (was, is) {
            (true, false) => (freed_status, None),
            (false, true) => (TableStatus::Occupied, Some(guest)),
            _ => continue,
        };
        let before = TableState {
            row: table,
            party: was.then_some(guest),
        };
        let mut next = before.clone();
        (next.row.status, next.party) = (status, party);
        next.save(tx, &before).await?;
    }
    Ok(())
}

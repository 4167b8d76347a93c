//! What can be done with a table.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::Role;
use wire::floor::tables::{
    CreateTable, Table, TablePosition, TableShape, TableStatus, UpdateTable,
};
use wire::live::events::{Action, EventKind, Gone};
use wire::{ErrorCode, GuestId, RestaurantId, TableId};

use super::row::TableRow;
use crate::checks::{Checks, trim, trimmed};
use crate::clock::new_id;
use crate::db::{Tx, WholeRow};
use crate::error::broken_constraint;
use crate::floor::seating::{self, Locked};
use crate::floor::{guests, occupancy, reserved};
use crate::record::check_version;
use crate::schema::{seatings, tables};
use crate::{Error, Result};

/// One table.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: TableId,
) -> Result<Table> {
    let (row, party) = tables::table
        .left_join(
            seatings::table.on(seatings::restaurant_id
                .eq(tables::restaurant_id)
                .and(seatings::table_id.eq(tables::id))),
        )
        .filter(tables::restaurant_id.eq(restaurant))
        .filter(tables::id.eq(id))
        .select((TableRow::as_select(), seatings::guest_id.nullable()))
        .first::<(TableRow, Option<GuestId>)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("table"))?;
    Ok(row.with_party(party))
}

/// The tables among some ids.
pub(crate) async fn some(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<Table>> {
    let rows = tables::table
        .left_join(
            seatings::table.on(seatings::restaurant_id
                .eq(tables::restaurant_id)
                .and(seatings::table_id.eq(tables::id))),
        )
        .filter(tables::restaurant_id.eq(restaurant))
        .filter(tables::id.eq_any(ids))
        .select((TableRow::as_select(), seatings::guest_id.nullable()))
        .load::<(TableRow, Option<GuestId>)>(conn)
        .await?
        .into_iter();
    Ok(rows.map(|(row, party)| row.with_party(party)).collect())
}

/// Adds a table to the floor plan.
///
/// # Errors
/// [`Error::Invalid`]; `table_number_taken`, `forbidden` below a manager.
pub async fn create(tx: &mut Tx<'_>, input: &CreateTable) -> Result<Table> {
    create_as(tx, new_id(), input).await
}

/// The same under an id that a client chose while it was offline.
///
/// # Errors
/// As [`create`]; `conflict` when the id is taken.
pub(crate) async fn create_as(tx: &mut Tx<'_>, id: TableId, input: &CreateTable) -> Result<Table> {
    check_arranges(tx)?;
    let number = trimmed(input.table_number.as_deref());
    let section = trimmed(input.section.as_deref());
    let position = input.position.unwrap_or(TablePosition { x: 0.5, y: 0.5 });
    let mut checks = Checks::new();
    if number.is_none() {
        checks.fault("tableNumber", "is required");
    }
    check_names(&mut checks, number.as_deref(), section.as_deref());
    if input.capacity.is_none() {
        checks.fault("capacity", "is required");
    }
    let row = TableRow {
        restaurant_id: tx.restaurant_id(),
        id,
        table_number: number.unwrap_or_default(),
        capacity: input.capacity.unwrap_or(1),
        min_party_size: input.min_party_size.unwrap_or(1),
        status: input.status.unwrap_or(TableStatus::Available),
        position_x: position.x,
        position_y: position.y,
        shape: input.shape.unwrap_or(TableShape::Square),
        section,
        is_active: input.is_active.unwrap_or(true),
        created_at: tx.now,
        last_updated: tx.now,
        version: 1,
    };
    check_row(checks, &row)?;
    if row.status == TableStatus::Occupied {
        return Err(needs_party());
    }
    diesel::insert_into(tables::table)
        .values(&row)
        .execute(tx.conn)
        .await
        .map_err(|error| number_taken(error, &row.table_number))?;
    let table = row.with_party(None);
    tx.tell(EventKind::TableCreated, table.id.0, Action::Created, &table)?;
    Ok(table)
}

/// Changes a table: the fields that are present. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `table_occupied` where a party sits
/// in the way, `table_number_taken`, `forbidden` for more than the status below a manager.
pub async fn update(
    tx: &mut Tx<'_>,
    id: TableId,
    patch: &UpdateTable,
    version: Option<i32>,
) -> Result<Table> {
    if !patch.is_status_only() {
        check_arranges(tx)?;
    }
    let (row, party, _) = lock(tx, id).await?;
    check_version(version, row.version, || row.clone().with_party(party))?;
    let next = patched(&row, patch);
    let mut checks = Checks::new();
    let number = patch
        .table_number
        .as_ref()
        .map(|_| next.table_number.as_str());
    let section = patch.section.as_ref().and(next.section.as_deref());
    check_names(&mut checks, number, section);
    check_row(checks, &next)?;
    match (party, next.status) {
        (None, TableStatus::Occupied) => return Err(needs_party()),
        (Some(_), status) if status != TableStatus::Occupied => {
            return Err(has_party(&row, "Clear it first."));
        }
        (Some(_), _) if !next.is_active => return Err(has_party(&row, "Clear it first.")),
        _ => {}
    }
    let is_usable_again = matches!(
        (row.status, next.status),
        (
            TableStatus::NeedsCleaning | TableStatus::OutOfService,
            TableStatus::Available
        )
    );
    let table = save(tx, &row, party, next, party).await?;
    if is_usable_again {
        reserved::settle(tx, &[id], &[]).await?;
        return get(tx.conn, tx.restaurant_id(), id).await;
    }
    Ok(table)
}

/// Takes a table off the floor plan for good.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; `table_occupied` where a party sits, `conflict` where one
/// is expected, `forbidden` below a manager.
pub async fn delete(tx: &mut Tx<'_>, id: TableId, version: Option<i32>) -> Result<()> {
    check_arranges(tx)?;
    let (row, party, _) = lock(tx, id).await?;
    check_version(version, row.version, || row.clone().with_party(party))?;
    if party.is_some() {
        return Err(has_party(&row, "A table with a party cannot be deleted."));
    }
    if occupancy::forget_past(tx, id).await? {
        let sentence = format!(
            "Table {} is booked. Move its bookings first.",
            row.table_number
        );
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    diesel::delete(tables::table.find((tx.restaurant_id(), id)))
        .execute(tx.conn)
        .await?;
    let gone = Gone {
        id: id.0,
        version: row.version + 1,
    };
    let before = row.with_party(None);
    tx.tell_changed(
        EventKind::TableDeleted,
        id.0,
        Action::Deleted,
        &before,
        &gone,
    )
}

/// The party has left: its visit is completed and its tables are free. A table that was to be
/// cleaned is clean.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn clear(tx: &mut Tx<'_>, id: TableId) -> Result<Table> {
    let occupant = seatings::table
        .find((tx.restaurant_id(), id))
        .select(seatings::guest_id)
        .first::<GuestId>(tx.conn)
        .await
        .optional()?;
    if let Some(guest) = occupant {
        let held = seating::held(tx, guest).await?;
        let locked = seating::lock(tx, &held).await?;
        if held.iter().any(|table| locked.party(*table) != Some(guest)) || !held.contains(&id) {
            return Err(Error::Contended);
        }
        guests::leave_tables(tx, locked, &held, guest).await?;
        return get(tx.conn, tx.restaurant_id(), id).await;
    }
    let (row, party, _) = lock(tx, id).await?;
    if party.is_some() {
        return Err(Error::Contended);
    }
    let status = match row.status {
        TableStatus::NeedsCleaning | TableStatus::Reserved => TableStatus::Available,
        status => status,
    };
    let next = TableRow {
        status,
        ..row.clone()
    };
    let table = save(tx, &row, None, next, None).await?;
    if row.status == TableStatus::NeedsCleaning {
        reserved::settle(tx, &[id], &[]).await?;
        return get(tx.conn, tx.restaurant_id(), id).await;
    }
    Ok(table)
}

/// Writes a changed table and tells; does nothing where nothing changed.
pub(crate) async fn save(
    tx: &mut Tx<'_>,
    row: &TableRow,
    party: Option<GuestId>,
    mut next: TableRow,
    next_party: Option<GuestId>,
) -> Result<Table> {
    if next == *row && party == next_party {
        return Ok(next.with_party(party));
    }
    let action = if next.status != row.status {
        Action::StatusChanged
    } else if party != next_party {
        if next_party.is_some() {
            Action::GuestAssigned
        } else {
            Action::GuestCleared
        }
    } else if (next.position_x, next.position_y) != (row.position_x, row.position_y) {
        Action::Moved
    } else {
        Action::InfoUpdated
    };
    next.version += 1;
    next.last_updated = tx.now;
    next.overwrite(tx.conn, tables::table.find((row.restaurant_id, row.id)))
        .await
        .map_err(|error| number_taken(error, &next.table_number))?;
    let before = row.clone().with_party(party);
    let table = next.with_party(next_party);
    tx.tell_changed(EventKind::TableUpdated, table.id.0, action, &before, &table)?;
    Ok(table)
}

async fn lock(tx: &mut Tx<'_>, id: TableId) -> Result<(TableRow, Option<GuestId>, Locked)> {
    let locked = seating::lock(tx, &[id]).await?;
    Ok((locked.table(id)?.clone(), locked.party(id), locked))
}

fn patched(row: &TableRow, patch: &UpdateTable) -> TableRow {
    let mut next = row.clone();
    if let Some(number) = &patch.table_number {
        trim(number).clone_into(&mut next.table_number);
    }
    if let Some(position) = patch.position {
        (next.position_x, next.position_y) = (position.x, position.y);
    }
    if let Some(section) = &patch.section {
        next.section = trimmed(section.as_deref());
    }
    next.capacity = patch.capacity.unwrap_or(row.capacity);
    next.min_party_size = patch.min_party_size.unwrap_or(row.min_party_size);
    next.status = patch.status.unwrap_or(row.status);
    next.shape = patch.shape.unwrap_or(row.shape);
    next.is_active = patch.is_active.unwrap_or(row.is_active);
    next
}

/// Those that are new.
fn check_names(checks: &mut Checks, number: Option<&str>, section: Option<&str>) {
    checks.name("tableNumber", number, 1..=20);
    checks.name("section", section, 1..=60);
}

fn check_row(mut checks: Checks, row: &TableRow) -> Result<()> {
    checks.number("capacity", Some(row.capacity), 1..=100);
    if !(1..=row.capacity).contains(&row.min_party_size) {
        checks.fault("minPartySize", "must be between 1 and the table's capacity");
    }
    for (field, value) in [
        ("position.x", row.position_x),
        ("position.y", row.position_y),
    ] {
        if !(0.0..=1.0).contains(&value) {
            checks.fault(field, "must be between 0 and 1");
        }
    }
    checks.finish()
}

/// Staff work the floor; arranging it is for managers.
fn check_arranges(tx: &Tx<'_>) -> Result<()> {
    if tx.actor().role < Role::Manager {
        let sentence = "Only a manager may arrange the floor plan.";
        return Err(Error::refused(ErrorCode::Forbidden, sentence));
    }
    Ok(())
}

fn needs_party() -> Error {
    Error::refused(ErrorCode::Conflict, "Seat a party to occupy a table.")
}

fn has_party(row: &TableRow, rest: &str) -> Error {
    let sentence = format!("Table {} has a party. {rest}", row.table_number);
    Error::refused(ErrorCode::TableOccupied, sentence)
}

fn number_taken(error: diesel::result::Error, number: &str) -> Error {
    match broken_constraint(&error) {
        Some("tables_pkey") => Error::refused(
            ErrorCode::Conflict,
            "There is a table with this id already.",
        ),
        Some("tables_number") => Error::refused(
            ErrorCode::TableNumberTaken,
            format!("There is a table {number} already."),
        ),
        _ => error.into(),
    }
}

//! The row of a table.

use std::borrow::{Borrow, BorrowMut};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use wire::floor::tables::{Table, TablePosition, TableShape, TableStatus};
use wire::live::events::{Action, EventKind};
use wire::{ErrorCode, GuestId, RestaurantId, TableId};

use crate::record::{Record, stored};
use crate::schema::tables;
use crate::{Error, Result};

/// A table without its party, which is in `seatings`.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tables, primary_key(restaurant_id, id), treat_none_as_null = true)]
pub(crate) struct TableRow {
    pub(crate) restaurant_id: RestaurantId,
    pub(crate) id: TableId,
    pub(crate) table_number: String,
    pub(crate) capacity: i32,
    pub(crate) min_party_size: i32,
    pub(crate) status: TableStatus,
    pub(crate) position_x: f64,
    pub(crate) position_y: f64,
    pub(crate) shape: TableShape,
    pub(crate) section: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_updated: DateTime<Utc>,
    pub(crate) version: i32,
}

stored! {
    TableRow in tables, "table" by id: TableId, at |restaurant, id| (restaurant, id),
    answers {
        "tables_pkey" => |_| Error::refused(
            ErrorCode::Conflict,
            "There is a table with this id already.",
        ),
        "tables_number" => |row| Error::refused(
            ErrorCode::TableNumberTaken,
            format!("There is a table {} already.", row.table_number),
        ),
    }
}

/// A table, and the party that sits at it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TableState {
    pub(crate) row: TableRow,
    pub(crate) party: Option<GuestId>,
}

impl Borrow<TableRow> for TableState {
    fn borrow(&self) -> &TableRow {
        &self.row
    }
}

impl BorrowMut<TableRow> for TableState {
    fn borrow_mut(&mut self) -> &mut TableRow {
        &mut self.row
    }
}

impl Record for TableState {
    type Row = TableRow;
    type Shown = Table;

    const CREATED: EventKind = EventKind::TableCreated;
    const UPDATED: EventKind = EventKind::TableUpdated;
    const DELETED: EventKind = EventKind::TableDeleted;

    fn shown(self, _now: DateTime<Utc>) -> Result<Table> {
        Ok(self.row.with_party(self.party))
    }

    fn change(&self, before: &Self) -> (EventKind, Action) {
        let place = |state: &Self| (state.row.position_x, state.row.position_y);
        let action = if self.row.status != before.row.status {
            Action::StatusChanged
        } else if self.party != before.party {
            if self.party.is_some() {
                Action::GuestAssigned
            } else {
                Action::GuestCleared
            }
        } else if place(self) != place(before) {
            Action::Moved
        } else {
            Action::InfoUpdated
        };
        (Self::UPDATED, action)
    }
}

impl TableRow {
    /// The table, as clients see it.
    pub(crate) fn with_party(self, party: Option<GuestId>) -> Table {
        Table {
            id: self.id,
            restaurant_id: self.restaurant_id,
            table_number: self.table_number,
            capacity: self.capacity,
            min_party_size: self.min_party_size,
            status: self.status,
            position: TablePosition {
                x: self.position_x,
                y: self.position_y,
            },
            shape: self.shape,
            section: self.section,
            current_guest_id: party,
            is_active: self.is_active,
            created_at: self.created_at,
            last_updated: self.last_updated,
            version: self.version,
        }
    }
}

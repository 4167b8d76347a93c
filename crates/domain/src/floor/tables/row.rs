//! The row of a table.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use wire::floor::tables::{Table, TablePosition, TableShape, TableStatus};
use wire::{GuestId, RestaurantId, TableId};

use crate::db::WholeRow;
use crate::schema::tables;

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

impl WholeRow for TableRow {}

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

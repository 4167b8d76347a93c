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
pub(in crate::floor) struct TableRow {
    pub(in crate::floor) restaurant_id: RestaurantId,
    pub(in crate::floor) id: TableId,
    pub(in crate::floor) table_number: String,
    pub(in crate::floor) capacity: i32,
    pub(in crate::floor) min_party_size: i32,
    pub(in crate::floor) status: TableStatus,
    pub(in crate::floor) position_x: f64,
    pub(in crate::floor) position_y: f64,
    pub(in crate::floor) shape: TableShape,
    pub(in crate::floor) section: Option<String>,
    pub(in crate::floor) is_active: bool,
    pub(in crate::floor) created_at: DateTime<Utc>,
    pub(in crate::floor) last_updated: DateTime<Utc>,
    pub(in crate::floor) version: i32,
}

impl WholeRow for TableRow {}

impl TableRow {
    /// The table, as clients see it.
    pub(in crate::floor) fn with_party(self, party: Option<GuestId>) -> Table {
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

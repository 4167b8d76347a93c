//! The row of a category.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use wire::menu::categories::{Category, ServingWindow};
use wire::{CategoryId, RestaurantId};

use crate::Result;
use crate::db::WholeRow;
use crate::schema::menu_categories;

/// A category, as it is stored.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = menu_categories, primary_key(restaurant_id, id), treat_none_as_null = true)]
pub(in crate::menu) struct CategoryRow {
    pub(in crate::menu) restaurant_id: RestaurantId,
    pub(in crate::menu) id: CategoryId,
    pub(in crate::menu) name: String,
    pub(in crate::menu) description: Option<String>,
    pub(in crate::menu) position: i32,
    pub(in crate::menu) windows: serde_json::Value,
    pub(in crate::menu) is_active: bool,
    pub(in crate::menu) created_at: DateTime<Utc>,
    pub(in crate::menu) updated_at: DateTime<Utc>,
    pub(in crate::menu) version: i32,
}

impl WholeRow for CategoryRow {}

impl CategoryRow {
    /// When it is served.
    pub(in crate::menu) fn windows(&self) -> Result<Vec<ServingWindow>> {
        Ok(serde_json::from_value(self.windows.clone())?)
    }
}

impl TryFrom<CategoryRow> for Category {
    type Error = crate::Error;

    fn try_from(row: CategoryRow) -> Result<Self> {
        Ok(Self {
            windows: row.windows()?,
            id: row.id,
            restaurant_id: row.restaurant_id,
            name: row.name,
            description: row.description,
            position: row.position,
            is_active: row.is_active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}

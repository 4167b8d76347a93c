//! The row of a category.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use wire::live::events::{Action, EventKind};
use wire::menu::categories::{Category, ServingWindow};
use wire::{CategoryId, ErrorCode, RestaurantId};

use crate::record::{Record, stored};
use crate::schema::menu_categories;
use crate::{Error, Result};

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
    pub(in crate::menu) last_updated: DateTime<Utc>,
    pub(in crate::menu) version: i32,
}

stored! {
    CategoryRow in menu_categories, "category" by id: CategoryId,
    at |restaurant, id| (restaurant, id),
    answers {
        "menu_categories_name" => |row| Error::refused(
            ErrorCode::Conflict,
            format!("There is a category {} already.", row.name),
        ),
        "dishes_category_fkey" => |row| Error::refused(
            ErrorCode::Conflict,
            format!("{} has dishes. Move or delete them first.", row.name),
        ),
    }
}

impl Record for CategoryRow {
    type Row = Self;
    type Shown = Category;

    const CREATED: EventKind = EventKind::CategoryCreated;
    const UPDATED: EventKind = EventKind::CategoryUpdated;
    const DELETED: EventKind = EventKind::CategoryDeleted;

    fn shown(self, _now: DateTime<Utc>) -> Result<Category> {
        self.try_into()
    }

    fn change(&self, before: &Self) -> (EventKind, Action) {
        let action = if self.is_active != before.is_active {
            Action::StatusChanged
        } else if self.position != before.position {
            Action::Moved
        } else {
            Action::InfoUpdated
        };
        (Self::UPDATED, action)
    }
}

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
            updated_at: row.last_updated,
            version: row.version,
        })
    }
}

//! Categories: the parts of a menu.

use chrono::{DateTime, Utc};
use fields::{create, patch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::lists;
use crate::patch::Clearable;
use crate::venue::settings::Weekday;
use crate::{CategoryId, RestaurantId};

/// A part of a menu, as the staff sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    /// The category's id.
    pub id: CategoryId,
    /// Whose menu it is part of.
    pub restaurant_id: RestaurantId,
    /// What it is called; unique on the menu, in large or small letters.
    #[schema(example = "Lunch")]
    pub name: String,
    /// What is to be said of it.
    pub description: Option<String>,
    /// Its place on the menu; equal ones stand in the order of their names.
    pub position: i32,
    /// When it is served; none: always.
    pub windows: Vec<ServingWindow>,
    /// Whether it is on the menu.
    pub is_active: bool,
    /// When the record was made.
    #[serde(serialize_with = "crate::moment::write")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(serialize_with = "crate::moment::write")]
    pub updated_at: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// A time in which a category is served, by the clock of the restaurant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"weekdays": ["monday", "tuesday"], "fromMinute": 690, "untilMinute": 870}))]
pub struct ServingWindow {
    /// The days on which it begins; none: every day.
    #[serde(default, deserialize_with = "lists::required::<7, _, _>")]
    #[schema(max_items = 7)]
    pub weekdays: Vec<Weekday>,
    /// The first minute, counted from midnight.
    #[serde(alias = "from_minute")]
    #[schema(minimum = 0, maximum = 1439)]
    pub from_minute: i32,
    /// The minute after the last one: later than `fromMinute` by at most a day; more than 1440 is
    /// after the next midnight.
    #[serde(alias = "until_minute")]
    #[schema(minimum = 1, maximum = 2879)]
    pub until_minute: i32,
}

/// A new part of the menu. `name` is required.
#[create(UpdateCategory)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Lunch", "windows": [{"fromMinute": 690, "untilMinute": 870}]}))]
pub struct CreateCategory {
    /// What it is called.
    #[serde(alias = "categoryName", alias = "category_name")]
    #[schema(max_length = 100, required = true, value_type = String)]
    pub name: Option<String>,
    /// What is to be said of it.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Its place on the menu; the last when absent.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: Option<i32>,
    /// When it is served; always when absent.
    #[schema(max_items = 20)]
    #[most(20)]
    pub windows: Option<Vec<ServingWindow>>,
    /// `true` when absent.
    pub is_active: Option<bool>,
}

/// A change of a category: the fields that are present. `null` clears.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"position": 3}))]
pub struct UpdateCategory {
    /// What it is called.
    #[serde(alias = "categoryName", alias = "category_name")]
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// What is to be said of it.
    #[schema(max_length = 2000)]
    pub description: Clearable<String>,
    /// Its place on the menu.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: Option<i32>,
    /// When it is served.
    #[schema(max_items = 20)]
    #[most(20)]
    pub windows: Option<Vec<ServingWindow>>,
    /// Whether it is on the menu.
    pub is_active: Option<bool>,
}

//! The whole menu, as a guest reads it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::categories::ServingWindow;
use super::dishes::PublicDish;
use crate::{CategoryId, RestaurantId};

/// A restaurant's menu: what is published, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Menu {
    /// The restaurant.
    pub restaurant_id: RestaurantId,
    /// Its name.
    pub restaurant_name: String,
    /// IANA time zone, by which the windows are counted.
    pub time_zone: String,
    /// The parts that are on the menu and have a published dish.
    pub categories: Vec<MenuCategory>,
    /// Published dishes of no category.
    pub uncategorized: Vec<PublicDish>,
}

/// A part of the menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MenuCategory {
    /// The category's id.
    pub id: CategoryId,
    /// What it is called.
    pub name: String,
    /// What is to be said of it.
    pub description: Option<String>,
    /// When it is served; none: always.
    pub windows: Vec<ServingWindow>,
    /// Whether that is now.
    pub is_served_now: bool,
    /// Its dishes.
    pub dishes: Vec<PublicDish>,
}

//! What a guest chooses about a dish: how it is done, what comes with it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::lists;

/// A choice to be made, for instance the side dish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"name": "Side", "min": 1, "max": 1, "options": [
    {"name": "Fries", "priceMinor": 0}, {"name": "Salad", "priceMinor": 150}]}))]
pub struct ModifierGroup {
    /// Stays when the name changes. A new group is given one.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// What is chosen.
    #[schema(max_length = 100)]
    pub name: String,
    /// How many options have to be chosen; 0: the guest may pass.
    #[schema(minimum = 0, maximum = 50)]
    pub min: i32,
    /// How many may be chosen: at least 1 and `min`, at most as many as there are.
    #[schema(minimum = 1, maximum = 50)]
    pub max: i32,
    /// What there is to choose, in this order.
    #[serde(deserialize_with = "lists::required::<50, _, _>")]
    #[schema(min_items = 1, max_items = 50)]
    pub options: Vec<ModifierOption>,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModifierOption {
    /// Stays when the name changes. A new option is given one.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// What it is.
    #[schema(max_length = 100)]
    pub name: String,
    /// What it adds to the dish's price, in minor units of the dish's currency.
    #[serde(default, alias = "price_minor")]
    #[schema(minimum = 0)]
    pub price_minor: i64,
}

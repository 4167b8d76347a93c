//! A restaurant.

use chrono::{DateTime, Utc};
use fields::patch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RestaurantId;
use crate::rooms::{RestaurantSettings, UpdateSettings};

/// A restaurant, as its members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restaurant {
    /// The restaurant's id.
    pub id: RestaurantId,
    /// Its name.
    #[schema(example = "QTable Demo")]
    pub name: String,
    /// Its name in addresses; unique.
    #[schema(example = "qtable-demo")]
    pub slug: String,
    /// IANA time zone, by which its days and hours are counted.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// How it works.
    pub settings: RestaurantSettings,
    /// When the record was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub last_updated: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// A change of a restaurant: the fields that are present.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"timeZone": "Europe/Berlin"}))]
pub struct UpdateRestaurant {
    /// Its name.
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    /// Its name in addresses: small letters, digits and dashes.
    #[schema(min_length = 1, max_length = 80)]
    pub slug: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// The settings that shall change.
    pub settings: Option<UpdateSettings>,
}

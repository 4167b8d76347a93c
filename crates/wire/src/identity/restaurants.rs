//! A restaurant and its settings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RestaurantId;
use crate::patch::present;

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

/// How a restaurant works. Fields that are absent have their default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestaurantSettings {
    /// Whether a table is to be cleaned before the next party.
    #[serde(alias = "needs_cleaning")]
    pub needs_cleaning: bool,
    /// Minutes after midnight at which a new service day begins; late parties belong to the day
    /// before.
    #[serde(alias = "service_day_start_minute")]
    #[schema(minimum = 0, maximum = 1439)]
    pub service_day_start_minute: i32,
}

/// A change of a restaurant: the fields that are present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"timeZone": "Europe/Berlin"}))]
pub struct UpdateRestaurant {
    /// Its name.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    /// Its name in addresses: small letters, digits and dashes.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 80)]
    pub slug: Option<String>,
    /// IANA time zone.
    #[serde(
        alias = "time_zone",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub time_zone: Option<String>,
    /// The settings that shall change.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub settings: Option<UpdateSettings>,
}

/// A change of settings: the fields that are present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpdateSettings {
    /// Whether a table is to be cleaned before the next party.
    #[serde(
        alias = "needs_cleaning",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub needs_cleaning: Option<bool>,
    /// Minutes after midnight at which a new service day begins.
    #[serde(
        alias = "service_day_start_minute",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(minimum = 0, maximum = 1439)]
    pub service_day_start_minute: Option<i32>,
}

//! Tables on the floor plan.

use std::fmt;

use chrono::{DateTime, Utc};
use fields::{create, patch};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::patch::{Clearable, present};
use crate::words::words;
use crate::{GuestId, RestaurantId, TableId};

words! {
    /// What can be done with a table now.
    TableStatus {
        /// Free.
        Available = "available" | "Available",
        /// A party sits here.
        Occupied = "occupied" | "Occupied",
        /// Kept for a booking.
        Reserved = "reserved" | "Reserved",
        /// The party has left; to be cleaned.
        NeedsCleaning = "needs_cleaning" | "needsCleaning",
        /// Not in use.
        OutOfService = "out_of_service" | "outOfService",
    }
}

words! {
    /// How a table is drawn.
    TableShape {
        /// A circle.
        Round = "round",
        /// A square.
        Square = "square",
        /// Longer than wide.
        Rectangle = "rectangle",
        /// An ellipse.
        Oval = "oval",
    }
}

/// A point on the floor plan; both in 0–1 of its width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TablePosition {
    /// From the left.
    #[schema(minimum = 0, maximum = 1, example = 0.25)]
    pub x: f64,
    /// From the top.
    #[schema(minimum = 0, maximum = 1, example = 0.5)]
    pub y: f64,
}

/// A table, as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// The table's id.
    pub id: TableId,
    /// The restaurant it stands in.
    pub restaurant_id: RestaurantId,
    /// The number that staff call it by; unique in the restaurant.
    #[schema(example = "12")]
    pub table_number: String,
    /// Covers that fit.
    #[schema(example = 4)]
    pub capacity: i32,
    /// The smallest party it is given to.
    pub min_party_size: i32,
    /// What can be done with it now.
    pub status: TableStatus,
    /// Where it stands.
    pub position: TablePosition,
    /// How it is drawn.
    pub shape: TableShape,
    /// The part of the room, for instance `Terrace`.
    pub section: Option<String>,
    /// The party that sits here.
    pub current_guest_id: Option<GuestId>,
    /// Whether it is on the floor plan.
    pub is_active: bool,
    /// When the record was made.
    #[serde(serialize_with = "crate::moment::write")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(serialize_with = "crate::moment::write")]
    pub last_updated: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// A new table. `tableNumber` and `capacity` are required.
#[create]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"tableNumber": "12", "capacity": 4, "position": {"x": 0.2, "y": 0.4}, "section": "Main"}))]
pub struct CreateTable {
    /// The number that staff call it by; text, or a whole number.
    #[serde(deserialize_with = "text_or_number")]
    #[schema(max_length = 20, required = true, value_type = String)]
    pub table_number: Option<String>,
    /// Covers that fit.
    #[serde(deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 100, required = true, value_type = i32)]
    pub capacity: Option<i32>,
    /// The smallest party it is given to; 1 when absent.
    #[schema(minimum = 1, maximum = 100)]
    pub min_party_size: Option<i32>,
    /// `available` when absent; `occupied` comes from seating a party, not from here.
    pub status: Option<TableStatus>,
    /// The middle of the plan when absent.
    pub position: Option<TablePosition>,
    /// `square` when absent.
    pub shape: Option<TableShape>,
    /// The part of the room.
    #[schema(max_length = 60)]
    pub section: Option<String>,
    /// `true` when absent.
    pub is_active: Option<bool>,
}

/// A change of a table: the fields that are present. `null` clears.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "out_of_service"}))]
pub struct UpdateTable {
    /// The number that staff call it by.
    #[serde(deserialize_with = "text_or_number")]
    #[schema(max_length = 20)]
    pub table_number: Option<String>,
    /// Covers that fit.
    #[schema(minimum = 1, maximum = 100)]
    pub capacity: Option<i32>,
    /// The smallest party it is given to.
    #[schema(minimum = 1, maximum = 100)]
    pub min_party_size: Option<i32>,
    /// Anything but `occupied`, which comes from seating a party.
    pub status: Option<TableStatus>,
    /// Where it shall stand.
    pub position: Option<TablePosition>,
    /// How it is drawn.
    pub shape: Option<TableShape>,
    /// The part of the room.
    #[schema(max_length = 60)]
    pub section: Clearable<String>,
    /// Whether it is on the floor plan.
    pub is_active: Option<bool>,
}

impl UpdateTable {
    /// Whether only the status is asked to change, which every member may do.
    #[must_use]
    pub fn is_status_only(&self) -> bool {
        *self
            == Self {
                status: self.status,
                ..Self::default()
            }
    }
}

/// A change of a table.
// Not read as this: what is flattened would keep all that it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchTable {
    /// Which table.
    pub id: TableId,
    /// Only if it still has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<i32>,
    /// The fields that shall change.
    #[serde(flatten)]
    pub change: UpdateTable,
}

/// Which tables to list. Order: by number, shorter numbers first (2 before 10).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct TableFilter {
    /// Only these statuses, separated by commas.
    #[param(example = "available,reserved")]
    pub status: Option<String>,
    /// Only this part of the room.
    pub section: Option<String>,
    /// 1–1000, default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<i64>,
    /// From the `Link` of the page before.
    pub cursor: Option<String>,
}

/// Older clients number their tables with integers.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(TextOrNumber).map(Some)
}

/// By hand: what is `untagged` keeps the whole value before it looks at it.
struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        match i64::try_from(number) {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }
}

//! Free slots, and slots that are kept for a few minutes.

use chrono::{DateTime, NaiveDate, Utc};
use fields::create;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::errors::Detail;
use crate::{HoldId, ReservationId, RestaurantId, TableId};

/// For whom and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct AvailabilityQuery {
    /// The day on which the house opens, in its own time zone; required.
    #[serde(deserialize_with = "crate::times::some_date")]
    #[param(example = "2026-12-24", required = true)]
    pub date: Option<NaiveDate>,
    /// Covers; required.
    #[serde(alias = "party_size")]
    #[param(minimum = 1, maximum = 100, required = true)]
    pub party_size: Option<i32>,
    /// Minutes; by party size from the restaurant's turn times when absent.
    #[param(minimum = 15, maximum = 1440)]
    pub duration: Option<i32>,
    /// Offers tables that are far too large for the party, too, after all others.
    #[serde(alias = "large_tables")]
    pub large_tables: bool,
}

/// The free slots of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// The day on which the house opens.
    pub date: NaiveDate,
    /// The time zone by which it is counted.
    pub time_zone: String,
    /// Covers.
    pub party_size: i32,
    /// How long the tables would be kept.
    pub duration_minutes: i32,
    /// In the order of their times, one for each time.
    pub slots: Vec<Slot>,
}

/// A time at which the party could come, and where it would sit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// When it begins; to be sent back as `reservationTime`.
    pub time: DateTime<Utc>,
    /// The same by the restaurant's clock.
    #[schema(example = "18:30")]
    pub local_time: String,
    /// When the tables are to be free again.
    pub end_time: DateTime<Utc>,
    /// The table, or joined tables.
    pub table_ids: Vec<TableId>,
    /// Seats at these tables.
    pub capacity: i32,
}

/// A slot that is kept while somebody fills in a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// To be sent as `holdId` with the booking.
    pub id: HoldId,
    /// The restaurant.
    pub restaurant_id: RestaurantId,
    /// Covers.
    pub party_size: i32,
    /// When the party would come.
    pub reservation_time: DateTime<Utc>,
    /// How long the tables would be kept.
    pub duration_minutes: i32,
    /// The table, or joined tables.
    pub table_ids: Vec<TableId>,
    /// Until when the slot is kept.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Asks for a slot to be kept for five minutes.
#[create]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(example = json!({"partySize": 4, "reservationTime": "2026-12-24T18:00:00Z"}))]
pub struct CreateHold {
    /// Covers.
    #[schema(minimum = 1, maximum = 100, required = true, value_type = i32)]
    pub party_size: Option<i32>,
    /// When the party would come.
    #[schema(required = true, value_type = DateTime<Utc>)]
    pub reservation_time: Option<DateTime<Utc>>,
    /// By party size from the restaurant's turn times when absent.
    #[schema(minimum = 15, maximum = 1440)]
    pub duration_minutes: Option<i32>,
    /// The tables; the house's choice when absent.
    #[schema(min_items = 1, max_items = 10)]
    #[most(100)]
    pub table_ids: Option<Vec<TableId>>,
}

/// Why a slot cannot be had, and what can.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableConflict {
    /// The table that is taken; absent where no table is free at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_id: Option<TableId>,
    /// The booking in the way; absent where a slot is kept for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<ReservationId>,
    /// In whose name that booking is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_name: Option<String>,
    /// From when the table is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// The nearest free slots of that day for the same party.
    pub slots: Vec<Slot>,
}

impl Detail for TableConflict {
    const FIELD: &'static str = "conflict";
    const MEANING: &'static str =
        "What is in the way and what is free instead, when the code is `table_unavailable`.";
}

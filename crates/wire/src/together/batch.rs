//! Several parties, tables and bookings changed by one request, all or none.
//!
//! The changes are described here by types that are not read: what is flattened would keep all that
//! it does not know.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::floor::guests::{Guest, UpdateGuest};
use crate::floor::reservations::{Reservation, UpdateReservation};
use crate::floor::tables::{Table, UpdateTable};
use crate::lists;
use crate::words::words;
use crate::{GuestId, ReservationId, TableId, TransactionId};

words! {
    /// What happens when one of the changes cannot be made.
    BatchMode {
        /// None is made.
        AllOrNothing = "all_or_nothing" | "allOrNothing",
    }
}

/// Changes of parties, then of tables, then of bookings, at most 500 together.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({
    "guests": [{"id": "0198b2f0-0000-7000-8000-000000000001", "status": "completed"}],
    "tables": [{"id": "0198b2f0-0000-7000-8000-000000000002", "status": "needs_cleaning"}],
    "mode": "all_or_nothing",
}))]
pub struct BatchUpdate {
    /// Each is read by itself, so that each that cannot be read can be named.
    #[serde(deserialize_with = "lists::required::<500, _, _>")]
    #[schema(value_type = Vec<BatchGuest>, max_items = 500)]
    pub guests: Vec<Box<RawValue>>,
    /// Each is read by itself.
    #[serde(deserialize_with = "lists::required::<500, _, _>")]
    #[schema(value_type = Vec<BatchTable>, max_items = 500)]
    pub tables: Vec<Box<RawValue>>,
    /// Each is read by itself.
    #[serde(deserialize_with = "lists::required::<500, _, _>")]
    #[schema(value_type = Vec<BatchReservation>, max_items = 500)]
    pub reservations: Vec<Box<RawValue>>,
    /// `all_or_nothing`, the only one.
    pub mode: Option<BatchMode>,
}

/// A change of a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchGuest {
    /// Which party.
    pub id: GuestId,
    /// Only if it still has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<i32>,
    /// The fields that shall change.
    #[serde(flatten)]
    pub change: UpdateGuest,
}

/// A change of a table.
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

/// A change of a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReservation {
    /// Which booking.
    pub id: ReservationId,
    /// Only if it still has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<i32>,
    /// The fields that shall change.
    #[serde(flatten)]
    pub change: UpdateReservation,
}

/// What a batch did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchDone {
    /// The id that the events of the batch carry.
    pub transaction_id: TransactionId,
    /// The parties, in the order of the request.
    #[schema(value_type = Vec<Guest>)]
    pub guests: Vec<serde_json::Value>,
    /// The tables, in the order of the request.
    #[schema(value_type = Vec<Table>)]
    pub tables: Vec<serde_json::Value>,
    /// The bookings, in the order of the request.
    #[schema(value_type = Vec<Reservation>)]
    pub reservations: Vec<serde_json::Value>,
}

//! The whole floor at one position of the log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{guests::Guest, reservations::Reservation, tables::Table};
use crate::position::{Epoch, Seq};
use crate::venue::restaurants::Restaurant;

/// Everything a tablet needs to draw the floor, read in one transaction: the state after event
/// `seq` and before event `seq + 1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The restaurant and its settings.
    pub restaurant: Restaurant,
    /// The current floor, as `GET guests` lists it.
    pub guests: Vec<Guest>,
    /// The bookings from yesterday to 30 days ahead, by time.
    #[serde(default)]
    pub reservations: Vec<Reservation>,
    /// The active tables.
    pub tables: Vec<Table>,
    /// When it was read.
    pub last_updated: DateTime<Utc>,
    /// The life of the log that `seq` counts in.
    pub epoch: Epoch,
    /// The last event that is contained.
    #[schema(value_type = i64)]
    pub seq: Seq,
}

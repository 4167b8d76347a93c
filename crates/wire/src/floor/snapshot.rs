//! The floor, as snapshots show it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{guests::Guest, reservations::Reservation, tables::Table};
use crate::live::snapshot::{Section, Sections};

/// What a tablet draws the floor from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Floor {
    /// The current floor, as `GET guests` lists it.
    pub guests: Vec<Guest>,
    /// The bookings from yesterday to 30 days ahead, by time.
    #[serde(default)]
    pub reservations: Vec<Reservation>,
    /// The active tables.
    pub tables: Vec<Table>,
}

impl Section for Floor {
    fn write(&self, to: &mut Sections) -> serde_json::Result<()> {
        to.add("guests", &self.guests)?;
        to.add("reservations", &self.reservations)?;
        to.add("tables", &self.tables)
    }
}

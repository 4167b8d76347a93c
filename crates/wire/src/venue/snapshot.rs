//! The restaurant, as snapshots show it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::restaurants::Restaurant;
use crate::live::snapshot::{Section, Sections};

/// Whose snapshot it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Venue {
    /// The restaurant and its settings.
    pub restaurant: Restaurant,
}

impl Section for Venue {
    fn write(&self, to: &mut Sections) -> serde_json::Result<()> {
        to.add("restaurant", &self.restaurant)
    }
}

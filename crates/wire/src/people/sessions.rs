//! Devices that are logged in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{RestaurantId, SessionId};

/// A device of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSession {
    /// The device's login.
    pub id: SessionId,
    /// The restaurant it is logged in to.
    pub restaurant_id: Option<RestaurantId>,
    /// What it called itself.
    pub device_name: Option<String>,
    /// When it logged in.
    pub created_at: DateTime<Utc>,
    /// When it last refreshed its tokens.
    pub last_used_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

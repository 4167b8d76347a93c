//! Who is here: the users and devices that follow a restaurant now.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Role;
use crate::{SessionId, UserId};

/// Who follows a restaurant now, at whichever worker.
///
/// The lists are bounded; `userCount` and `deviceCount` count everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The accounts of `devices`, each once, those that came first at the front.
    pub users: Vec<PresentUser>,
    /// The devices, those that came first at the front.
    pub devices: Vec<PresentDevice>,
    /// How many accounts there are.
    pub user_count: u32,
    /// How many devices there are.
    pub device_count: u32,
}

/// An account with at least one device that is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresentUser {
    /// The account.
    pub id: UserId,
    /// First and last name.
    pub name: String,
    /// In this restaurant.
    pub role: Role,
    /// Since when the first of its devices has been here.
    pub since: DateTime<Utc>,
}

/// A device that is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresentDevice {
    /// Its login.
    pub id: SessionId,
    /// Who is logged in on it.
    pub user_id: UserId,
    /// What it calls itself.
    pub device_name: Option<String>,
    /// Since when it has been here.
    pub since: DateTime<Utc>,
    /// Its open sockets and streams. A change of this alone is not told.
    pub connections: u32,
}

//! Members of a restaurant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Role;
use crate::patch::present;
use crate::refused::NoPassword;
use crate::secretive::secretive;
use crate::{RestaurantId, UserId};

secretive!(UpdateUser);

/// A member of a restaurant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The account.
    pub id: UserId,
    /// The restaurant of which it is a member.
    pub restaurant_id: RestaurantId,
    /// The account's address.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What the member may do.
    pub role: Role,
    /// Whether the member may do anything at all.
    pub is_active: bool,
    /// When the member joined.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub last_updated: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// A change of a member: the fields that are present. Names are the account's own: one that is sent
/// is to be the name that is there.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"role": "manager"}))]
pub struct UpdateUser {
    /// Given name, as it is.
    #[serde(
        alias = "first_name",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(max_length = 100)]
    pub first_name: Option<String>,
    /// Family name, as it is.
    #[serde(
        alias = "last_name",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(max_length = 100)]
    pub last_name: Option<String>,
    /// What the member may do.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether the member may do anything at all.
    #[serde(
        alias = "is_active",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub is_active: Option<bool>,
    /// A member who has forgotten it gets a link, and sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub password: Option<NoPassword>,
}

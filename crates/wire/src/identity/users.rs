//! Members of a restaurant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Role;
use crate::patch::present;
use crate::secretive::secretive;
use crate::{RestaurantId, UserId};

secretive!(CreateUser, UpdateUser);

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

/// A new member. An address that has an account already joins with it, and `password` is ignored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"email": "host@example.com", "password": "correct horse", "firstName": "Sam", "role": "staff"}))]
pub struct CreateUser {
    /// The account's address.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
    /// 8–72 bytes; required for an address without an account.
    #[schema(min_length = 8, max_length = 72)]
    pub password: Option<String>,
    /// Given name.
    #[serde(default, alias = "first_name")]
    #[schema(max_length = 100)]
    pub first_name: String,
    /// Family name.
    #[serde(default, alias = "last_name")]
    #[schema(max_length = 100)]
    pub last_name: String,
    /// `staff` when absent.
    pub role: Option<Role>,
}

/// A change of a member: the fields that are present.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"role": "manager"}))]
pub struct UpdateUser {
    /// Given name; only of an account that has no other restaurant.
    #[serde(
        alias = "first_name",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(max_length = 100)]
    pub first_name: Option<String>,
    /// Family name; only of an account that has no other restaurant.
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
    /// A new password, 8–72 bytes; only of an account that has no other restaurant.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 8, max_length = 72)]
    pub password: Option<String>,
}

//! The rows of a member: the membership and its account.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use wire::Role;
use wire::people::users::User;
use wire::{RestaurantId, UserId};

use crate::schema::{memberships, users};

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub(super) struct Member {
    pub(super) restaurant_id: RestaurantId,
    pub(super) user_id: UserId,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// Runs the platform.
    pub(super) is_admin: bool,
    pub(super) role: Role,
    pub(super) is_active: bool,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_updated: DateTime<Utc>,
    pub(super) version: i32,
}

/// The columns of a [`Member`].
pub(super) type Columns = (
    memberships::restaurant_id,
    memberships::user_id,
    users::email,
    users::first_name,
    users::last_name,
    users::is_admin,
    memberships::role,
    memberships::is_active,
    memberships::created_at,
    memberships::last_updated,
    memberships::version,
);

pub(super) const COLUMNS: Columns = (
    memberships::restaurant_id,
    memberships::user_id,
    users::email,
    users::first_name,
    users::last_name,
    users::is_admin,
    memberships::role,
    memberships::is_active,
    memberships::created_at,
    memberships::last_updated,
    memberships::version,
);

impl Member {
    /// The member, as clients see it.
    pub(super) fn into_user(self) -> User {
        User {
            id: self.user_id,
            restaurant_id: self.restaurant_id,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            role: self.role,
            is_active: self.is_active,
            created_at: self.created_at,
            last_updated: self.last_updated,
            version: self.version,
        }
    }

    pub(super) fn has_names_of(&self, other: &Self) -> bool {
        (&self.first_name, &self.last_name) == (&other.first_name, &other.last_name)
    }

    pub(super) fn is_active_owner(&self) -> bool {
        self.role == Role::Owner && self.is_active
    }
}

//! The rows of an invitation: itself and the account that accepted it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use wire::Role;
use wire::people::invitations::{AcceptedBy, Invitation, InvitationStatus};
use wire::{InvitationId, RestaurantId, UserId};

use crate::schema::{invitations, users};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = invitations)]
pub(super) struct InvitationRow {
    pub(super) restaurant_id: RestaurantId,
    pub(super) id: InvitationId,
    pub(super) role: Role,
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) secret_hash: Vec<u8>,
    pub(super) created_by: Option<UserId>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) accepted_by: Option<UserId>,
    pub(super) accepted_version: Option<i32>,
    pub(super) accepted_at: Option<DateTime<Utc>>,
    pub(super) confirmed_at: Option<DateTime<Utc>>,
    pub(super) withdrawn_at: Option<DateTime<Utc>>,
}

/// The account that accepted, as it is now.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub(super) struct AccountRow {
    pub(super) id: UserId,
    email: String,
    first_name: String,
    last_name: String,
}

impl InvitationRow {
    pub(super) fn status(&self, now: DateTime<Utc>) -> InvitationStatus {
        if self.withdrawn_at.is_some() {
            InvitationStatus::Withdrawn
        } else if self.confirmed_at.is_some() {
            InvitationStatus::Confirmed
        } else if self.expires_at <= now {
            InvitationStatus::Expired
        } else if self.accepted_by.is_some() {
            InvitationStatus::Accepted
        } else {
            InvitationStatus::Open
        }
    }

    /// The invitation as it is shown, without its link.
    pub(super) fn shown(self, account: Option<AccountRow>, now: DateTime<Utc>) -> Invitation {
        Invitation {
            status: self.status(now),
            id: self.id,
            restaurant_id: self.restaurant_id,
            role: self.role,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            created_by: self.created_by,
            created_at: self.created_at,
            expires_at: self.expires_at,
            accepted_by: account.map(|account| AcceptedBy {
                user_id: account.id,
                email: account.email,
                first_name: account.first_name,
                last_name: account.last_name,
            }),
            accepted_at: self.accepted_at,
            link: None,
            link_notice: None,
        }
    }
}

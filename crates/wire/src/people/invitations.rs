//! Invitations to a restaurant, and links with which a member sets a new password.
//!
//! Both belong to their link and not to an address: whoever has the link can use it, once. It is
//! shown once, to whoever makes it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Role;
use crate::refused::NoPassword;
use crate::secretive::secretive;
use crate::words::words;
use crate::{InvitationId, RestaurantId, UserId};

secretive!(
    Invite,
    Invitation,
    InvitationSecret,
    AcceptInvitation,
    ResetLink,
    ResetPassword,
);

words! {
    /// What has become of an invitation.
    InvitationStatus {
        /// Nobody has accepted it yet.
        Open = "open",
        /// Somebody has, and is to be confirmed.
        Accepted = "accepted",
        /// Who accepted is a member.
        Confirmed = "confirmed",
        /// It was taken back.
        Withdrawn = "withdrawn",
        /// Nobody accepted, or nobody confirmed, in time.
        Expired = "expired",
    }
}

/// An invitation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// Where to.
    pub restaurant_id: RestaurantId,
    /// What whoever accepts may do there, once confirmed.
    pub role: Role,
    /// A note of whoever invited: whom it is meant for. Nothing is looked up by it.
    pub email: Option<String>,
    /// A note likewise.
    pub first_name: Option<String>,
    /// A note likewise.
    pub last_name: Option<String>,
    /// What has become of it.
    pub status: InvitationStatus,
    /// Who invited; `null` for one who has no account any more.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it is to be accepted; once it is, until when to be confirmed.
    pub expires_at: DateTime<Utc>,
    /// Who accepted.
    pub accepted_by: Option<AcceptedBy>,
    /// When.
    pub accepted_at: Option<DateTime<Utc>>,
    /// For whoever is invited, and shown this once: it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://qtable.example.com/i/AZ…")]
    pub link: Option<String>,
    /// Why there is no link, in an answer that is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_notice: Option<String>,
}

/// The account that accepted an invitation, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedBy {
    /// The account.
    pub user_id: UserId,
    /// Its address.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
}

/// Invites somebody. Address and names are notes for those who confirm.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"role": "staff", "email": "host@example.com", "firstName": "Sam"}))]
pub struct Invite {
    /// `staff` when absent; an owner is invited by an owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whom it is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// A note likewise.
    #[serde(alias = "first_name", skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub first_name: Option<String>,
    /// A note likewise.
    #[serde(alias = "last_name", skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub last_name: Option<String>,
    /// Whoever accepts has a password of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub password: Option<NoPassword>,
}

/// Whom to confirm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfirmInvitation {
    /// The account that the caller was shown: with another one nothing is confirmed.
    #[serde(alias = "user_id", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}

/// The secret of an invitation's link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationSecret {
    /// The last part of the link.
    #[schema(max_length = 200)]
    pub secret: String,
}

/// An invitation, as whoever has its link sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationFace {
    /// Where to.
    pub restaurant_id: RestaurantId,
    /// Its name.
    pub restaurant_name: String,
    /// What whoever accepts may do there, once confirmed.
    pub role: Role,
    /// `open`, `accepted` or `confirmed`.
    pub status: InvitationStatus,
    /// Until when it is to be accepted; once it is, until when to be confirmed.
    pub expires_at: DateTime<Utc>,
}

/// Accepts an invitation: with a credential for its account, without one for a new account, of
/// which address and password are required.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptInvitation {
    /// The last part of the link.
    #[schema(max_length = 200)]
    pub secret: String,
    /// The new account's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// 8–72 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
}

/// A link with which a member sets a new password, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResetLink {
    /// For the member, and shown this once: it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://qtable.example.com/r/AZ…")]
    pub link: Option<String>,
    /// Why there is no link, in an answer that is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_notice: Option<String>,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
}

/// A new password, with the secret of a link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResetPassword {
    /// The last part of the link.
    #[schema(max_length = 200)]
    pub secret: String,
    /// 8–72 bytes.
    #[serde(alias = "new_password")]
    #[schema(min_length = 8, max_length = 72)]
    pub new_password: String,
}

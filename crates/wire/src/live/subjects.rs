//! What somebody follows by itself, who is no member.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rooms::RootKind;
use crate::secretive::secretive;
use crate::{RestaurantId, RootId};

secretive!(FollowLink);

/// A thing that is followed by itself, and where its state is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The restaurant.
    pub restaurant_id: RestaurantId,
    /// What it is.
    pub kind: RootKind,
    /// Its id.
    pub id: RootId,
    /// Where it is read, with the same credential.
    #[schema(example = "/api/v1/restaurants/0198b2f0-…/guests/0198b2f0-…/own")]
    pub href: String,
}

/// A link by which somebody without an account follows one thing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FollowLink {
    /// To be handed on, and shown this once: it is not kept. Its last part is the secret, which is
    /// also what programs send as `Authorization: Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://qtable.example.com/w/AZ…")]
    pub link: Option<String>,
    /// Why there is no link, in an answer that is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_notice: Option<String>,
}

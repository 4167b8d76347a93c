//! What a client that was away asks for, and what it brings.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::position::{Epoch, Seq};

/// After which event to begin. Both together are a position, as frames, snapshots and
/// `X-Event-Seq` carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeltaQuery {
    /// The last event that the client has.
    #[param(minimum = 0)]
    pub since: Seq,
    /// The life of the log in which `since` counts.
    #[param(value_type = String, format = Uuid)]
    pub epoch: Epoch,
    /// 1–1000, default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<i64>,
}

/// Events in the order of their numbers, without a gap.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// The frames, as a socket would have received them.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<Box<RawValue>>,
    /// The life of the log.
    pub epoch: Epoch,
    /// The position after these events: the next `since`.
    pub seq: Seq,
    /// Whether the log goes on after `seq`.
    pub has_more: bool,
}

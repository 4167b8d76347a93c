//! What a client that was away asks for, and what it brings.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::atomic::{Entity, Op};
use crate::errors::{ErrorCode, FieldError};
use crate::lists;
use crate::position::{Epoch, Seq};
use crate::words::words;

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

words! {
    /// What became of a change that was made offline.
    Outcome {
        /// It was made.
        Applied = "applied",
        /// It was made; somebody else had changed other fields, and both changes are kept.
        Merged = "merged",
        /// It was not made, because of what somebody else did in the meantime.
        Conflict = "conflict",
        /// It was not made, because it could not have been made at any time.
        Rejected = "rejected",
    }
}

/// What a client did while it was offline, in the order in which it did it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"operations": [{
    "clientId": "tablet-7-000042", "op": "update", "entity": "guest",
    "id": "0198b2f0-0000-7000-8000-000000000001", "data": {"notes": "Window, please"}, "baseVersion": 3,
}]}))]
pub struct SyncQueue {
    /// At most 1,000. Each is read by itself.
    #[serde(deserialize_with = "lists::required::<1000, _, _>")]
    #[schema(value_type = Vec<SyncOperation>, max_items = 1000)]
    pub operations: Vec<Box<RawValue>>,
}

/// One change that was made offline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncOperation {
    /// Chosen by the client, unique in the restaurant: what was sent twice is done once.
    #[serde(alias = "client_id")]
    #[schema(min_length = 1, max_length = 100)]
    pub client_id: String,
    /// What is done.
    pub op: Op,
    /// To what kind of thing.
    pub entity: Entity,
    /// To which; something new has the id that the client gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The fields, as in a POST or PUT of this kind of thing.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// The version that the client had before it went offline. Without it the fields are
    /// overwritten, whatever happened since.
    #[serde(
        default,
        alias = "base_version",
        skip_serializing_if = "Option::is_none"
    )]
    pub base_version: Option<i32>,
}

/// What became of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncDone {
    /// One result per operation, in their order.
    pub results: Vec<SyncResult>,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncResult {
    /// The client's.
    pub client_id: String,
    /// What became of it.
    pub status: Outcome,
    /// The kind of thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// Which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// For a host: why it was not made, or what else happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Somebody else changed the status of John Doe in the meantime.")]
    pub message: Option<String>,
    /// For programs: why it was not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// The fields that stand in the way or are at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// The thing as it is now; absent when it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<serde_json::Value>,
}

//! Several changes that happen together or not at all.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ids::ids;
use crate::lists;
pub use crate::rooms::Entity;
use crate::words::words;

ids! {
    /// A request of one client that changes several things at once.
    TransactionId,
}

words! {
    /// What is done to it.
    Op {
        /// It is made.
        Create = "create",
        /// Some of its fields are changed.
        Update = "update",
        /// It is removed.
        Delete = "delete",
    }
}

/// A client's transaction. Sent again with the same `transactionId`, it is answered as the first
/// time and not done again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "transactionId": "0198b2f0-0000-7000-8000-000000000000",
    "operations": [
        {"op": "update", "entity": "guest", "id": "0198b2f0-0000-7000-8000-000000000001", "data": {"status": "completed"}, "ifVersion": 3},
        {"op": "create", "entity": "guest", "data": {"guestName": "John Doe", "partySize": 4}},
    ],
}))]
pub struct Atomic {
    /// Chosen by the client.
    #[serde(alias = "transaction_id")]
    pub transaction_id: TransactionId,
    /// At most 100, done in this order. Each is read by itself, so that each that cannot be read
    /// can be named.
    #[serde(deserialize_with = "lists::required::<100, _, _>")]
    #[schema(value_type = Vec<AtomicOperation>, max_items = 100)]
    pub operations: Vec<Box<RawValue>>,
}

/// The same, for the path that does not name the restaurant. It is not read as this: what is
/// flattened would keep all that it does not know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AtomicBatch {
    /// The restaurant.
    #[serde(alias = "restaurantId")]
    pub restaurant_id: crate::RestaurantId,
    /// The transaction.
    #[serde(flatten)]
    pub atomic: Atomic,
}

/// One change of a transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtomicOperation {
    /// What is done.
    pub op: Op,
    /// To what kind of thing.
    pub entity: Entity,
    /// To which; something new may be given its id here, to be named by later operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The fields, as in a POST or PUT of this kind of thing.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// Only if it still has this version.
    #[serde(default, alias = "if_version", skip_serializing_if = "Option::is_none")]
    pub if_version: Option<i32>,
}

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtomicDone {
    /// The client's.
    pub transaction_id: TransactionId,
    /// One result per operation, in their order.
    pub results: Vec<AtomicResult>,
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtomicResult {
    /// What was done.
    pub op: Op,
    /// To what kind of thing.
    pub entity: Entity,
    /// To which.
    pub id: Uuid,
    /// The thing after this operation; `null` when it was removed. A booking that was called off
    /// stays as history.
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Value>,
}

//! The tables of a restaurant.

use serde_json::{Value, json};
use uuid::Uuid;
use wire::together::atomic::AtomicDone;

use crate::http::Api;

/// Covers at a table.
const CAPACITY: i32 = 4;

/// Puts up tables with these ids, at most a hundred, in a transaction of this id.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn furnish(api: &Api, transaction: Uuid, tables: &[Uuid]) -> anyhow::Result<()> {
    let operations: Vec<Value> = tables
        .iter()
        .zip(1..)
        .map(|(id, number)| {
            let data = json!({"tableNumber": format!("T{number}"), "capacity": CAPACITY});
            json!({"op": "create", "entity": "table", "id": id, "data": data})
        })
        .collect();
    let body = json!({"transactionId": transaction, "operations": operations});
    let path = api.path("/atomic");
    api.post(&path, &body).await?.expect::<AtomicDone>()?;
    Ok(())
}

//! Parties: from one status to another, on the waiting list, again and again; and lists of them.

mod fields;
mod lists;
mod queue;
mod search;
mod statuses;
mod versions;

use serde_json::json;

use crate::house::House;

/// Seated, at a table that nobody else has.
async fn seated(house: &House) -> serde_json::Value {
    let number = house.tablet.tables(json!({})).await.unwrap().items.len() + 1;
    let table = house.tablet.add_table(&number.to_string(), 4).await;
    json!({"status": "seated", "tableId": table.id})
}

mod client;
mod dishes;
mod live;
mod transfer;
mod tree;

use serde_json::{Value, json};

use crate::support::{Client, Restaurant};

/// A dish's fields, with others beside or instead.
fn dish(name: &str, more: Value) -> Value {
    let mut dish = json!({"dishName": name, "priceMinor": 990, "currency": "EUR"});
    dish.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    dish
}

impl Restaurant {
    /// Puts a dish on the menu. Returns its number.
    async fn dish(&self, name: &str, more: Value) -> i64 {
        let path = self.path("/dishes");
        let reply = self.owner.post(&path, dish(name, more)).await;
        reply.expect(201)["dishId"].as_i64().unwrap()
    }

    /// The names that a list of dishes has for somebody.
    async fn dishes_for(&self, client: &Client) -> Vec<String> {
        let path = format!("/api/dishes?restaurant_id={}", self.id);
        names(&client.get(&path).await.expect(200))
    }

    /// The menu at a worker.
    async fn menu(&self, anybody: &Client) -> Value {
        anybody.get(&self.path("/menu")).await.expect(200)
    }
}

fn names(dishes: &Value) -> Vec<String> {
    let dishes = dishes.as_array().unwrap().iter();
    dishes
        .map(|dish| dish["dishName"].as_str().unwrap().to_owned())
        .collect()
}

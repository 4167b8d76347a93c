//! The menu.

use domain::db::{PgConnection, Tx};
use domain::menu::{categories, dishes, transfer, tree};
use serde_json::{Value, json};
use wire::DishId;

use super::large::{House, id, now, read as from};

pub(super) async fn run(house: &House) {
    let here = house.id();
    let name = "menu.read";
    house
        .read(name, "", async |conn| tree::read(conn, here, now()).await)
        .await;
    let name = "menu.export";
    house
        .read(name, "", async |conn| {
            transfer::export(conn, here, now()).await
        })
        .await;
    let name = "dishes.all";
    house
        .read(name, "", async |conn| dishes::all(conn, here, now()).await)
        .await;
    for (what, filter) in [
        ("all", json!({"limit": 100})),
        (
            "of a category",
            json!({"categoryId": id::<wire::CategoryId>(3)}),
        ),
        ("by name", json!({"q": "dish 77"})),
    ] {
        let first = from(filter.clone());
        let list = async |conn: &mut PgConnection| dishes::list(conn, here, &first, now()).await;
        let page = house.read("dishes.list", what, list).await;
        if let Some(next) = page.next {
            let mut filter = filter;
            filter["cursor"] = Value::from(next);
            let filter = from(filter);
            let list =
                async |conn: &mut PgConnection| dishes::list(conn, here, &filter, now()).await;
            house
                .read("dishes.list", &format!("{what}, next page"), list)
                .await;
        }
    }
    let input = from(
        json!({"dishName": "Soup", "priceMinor": 700, "currency": "EUR", "categoryId": id::<wire::CategoryId>(3)}),
    );
    let create = async |tx: &mut Tx<'_>| dishes::create(tx, &input).await;
    let dish: DishId = house.write("dishes.create", "", create).await.dish_id;
    let name = "dishes.get";
    house
        .read(name, "", async |conn| {
            dishes::get(conn, here, dish, now()).await
        })
        .await;
    house
        .write("dishes.toggle", "", async |tx| {
            dishes::toggle(tx, dish, None).await
        })
        .await;
    let patch = from(json!({"dishName": "Broth"}));
    let update = async |tx: &mut Tx<'_>| dishes::update(tx, dish, &patch, None).await;
    house.write("dishes.update", "", update).await;
    house
        .write("dishes.delete", "", async |tx| {
            dishes::delete(tx, dish, None).await
        })
        .await;

    let name = "categories.list";
    house
        .read(name, "", async |conn| categories::list(conn, here).await)
        .await;
    let input = from(json!({"name": format!("Soups {}", house.round)}));
    let create = async |tx: &mut Tx<'_>| categories::create(tx, &input).await;
    let category = house.write("categories.create", "", create).await.id;
    let name = "categories.get";
    house
        .read(name, "", async |conn| {
            categories::get(conn, here, category).await
        })
        .await;
    let patch = from(json!({"position": 2}));
    let update = async |tx: &mut Tx<'_>| categories::update(tx, category, &patch, None).await;
    house.write("categories.update", "", update).await;
    let delete = async |tx: &mut Tx<'_>| categories::delete(tx, category, None).await;
    house.write("categories.delete", "", delete).await;
}

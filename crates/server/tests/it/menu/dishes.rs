use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{dish, names};
use crate::support::{Restaurant, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_contract() {
    let app = TestApp::start().await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let staff = house.member(&app, "staff").await;
    let anybody = app.client(1);
    let image = "https://images.example.com/margherita.webp";
    let shown = house
        .dish(
            "Pizza",
            json!({"isPublished": true, "imageUrl": image, "station": "Oven"}),
        )
        .await;
    let hidden = house.dish("Secret", json!({})).await;
    assert!(shown < hidden);

    // Who sees what.
    assert_eq!(house.dishes_for(&anybody).await, ["Pizza"]);
    assert_eq!(house.dishes_for(&other.owner).await, ["Pizza"]);
    assert_eq!(house.dishes_for(&staff).await, ["Pizza", "Secret"]);
    let own = staff.get("/dishes").await.expect(200);
    assert_eq!(names(&own), ["Pizza", "Secret"]);
    let path = format!("/dishes?restaurant_id={}", house.id);
    let public = anybody.get(&path).await;
    let first = &public.body[0];
    for (field, value) in [
        ("dishId", json!(shown)),
        ("dishName", json!("Pizza")),
        ("imageUrl", json!(image)),
        ("isPublished", json!(true)),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    assert!(first["createdAt"].is_string() && first["updatedAt"].is_string());
    assert!(first.get("station").is_none(), "{first}");
    assert!(public.header("vary").unwrap().contains("Authorization"));

    // Who may toggle.
    let toggle = format!("/api/dishes/{hidden}/toggle");
    let patch = async |client: &crate::support::Client, path: &str| {
        client.send(Method::PATCH, path, None, &[]).await
    };
    patch(&anybody, &toggle)
        .await
        .expect_error(401, "unauthenticated");
    patch(&other.owner, &toggle)
        .await
        .expect_error(404, "not_found");
    patch(&staff, "/api/dishes/999999999/toggle")
        .await
        .expect_error(404, "not_found");
    patch(&staff, "/api/dishes/pizza/toggle")
        .await
        .expect_error(404, "not_found");
    let toggled = patch(&staff, &toggle).await.expect(200);
    assert_eq!(
        (
            &toggled["dishId"],
            &toggled["isPublished"],
            &toggled["version"]
        ),
        (&json!(hidden), &json!(true), &json!(2))
    );
    assert_eq!(house.dishes_for(&app.client(0)).await, ["Pizza", "Secret"]);

    // Of which restaurant.
    assert_eq!(anybody.get("/dishes").await.fields(), ["restaurant_id"]);
    let nobody = format!("/dishes?restaurant_id={}", uuid::Uuid::now_v7());
    anybody.get(&nobody).await.expect_error(404, "not_found");
    let forged = anybody.with_token("eyJhbGciOiJub25lIn0.e30.");
    forged.get(&path).await.expect_error(401, "unauthenticated");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_toggles_at_once_are_two_flips() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let id = house.dish("Pizza", json!({})).await;
    let path = format!("/dishes/{id}/toggle");
    let workers = [house.owner.clone(), house.owner.at(&app.client(1))];
    let flips = (0..21).map(|n: usize| workers[n % 2].send(Method::PATCH, &path, None, &[]));
    let mut seen: Vec<(i64, bool)> = join_all(flips)
        .await
        .into_iter()
        .map(|reply| {
            let dish = reply.expect(200);
            (
                dish["version"].as_i64().unwrap(),
                dish["isPublished"].as_bool().unwrap(),
            )
        })
        .collect();
    seen.sort_unstable();
    let expected: Vec<(i64, bool)> = (2..23).map(|version| (version, version % 2 == 0)).collect();
    assert_eq!(seen, expected);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_serve_the_menu_and_managers_write_it() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let staff = house.member(&app, "staff").await;
    let category = house
        .owner
        .post(&house.path("/menu/categories"), json!({"name": "Mains"}))
        .await
        .expect(201);
    let reply = house
        .owner
        .post(
            &house.path("/dishes"),
            dish(
                "Steak",
                json!({
                    "categoryId": category["id"], "allergens": ["milk", "celery", "milk"],
                    "dietary": ["gluten_free"], "preparation_minutes": 20,
                    "modifierGroups": [{"name": "Done", "min": 1, "max": 1,
                        "options": [{"name": "Rare"}, {"name": "Well done", "priceMinor": 50}]}],
                }),
            ),
        )
        .await;
    assert_eq!(reply.header("etag"), Some("\"1\""));
    let made = reply.body;
    let path = house.path(&format!("/dishes/{}", made["dishId"]));
    assert_eq!(made["allergens"], json!(["milk", "celery"]));
    assert!(made["modifierGroups"][0]["options"][1]["id"].is_string());
    assert_eq!(staff.get(&path).await.expect(200), made);

    // Staff: 86, a count, and back; nothing else.
    for (said, is) in [
        (
            json!({"status": "sold_out"}),
            json!({"status": "sold_out", "quantityLeft": null, "until": null}),
        ),
        (
            json!({"status": "available", "quantityLeft": 3}),
            json!({"status": "available", "quantityLeft": 3, "until": null}),
        ),
        (
            json!({"status": "available", "quantityLeft": 0}),
            json!({"status": "sold_out", "quantityLeft": null, "until": null}),
        ),
    ] {
        let dish = staff
            .put(&path, json!({"availability": said}))
            .await
            .expect(200);
        assert_eq!(dish["availability"], is);
    }
    staff
        .put(&path, json!({"priceMinor": 1}))
        .await
        .expect_error(403, "forbidden");
    // Until tomorrow: then it is there again, without anybody's doing.
    let until = "2099-01-01T09:00:00Z";
    let gone = json!({"availability": {"status": "sold_out", "until": until}});
    assert_eq!(
        staff.put(&path, gone).await.expect(200)["availability"]["until"],
        until
    );
    app.time().advance(chrono::TimeDelta::days(365 * 80));
    // (Tokens do not last that long.)
    let tokens = crate::support::restaurant::login(&app.client(0), &house.email).await;
    let owner = app
        .client(0)
        .with_token(tokens["access_token"].as_str().unwrap());
    let later = owner.get(&path).await.expect(200);
    assert_eq!(later["availability"]["status"], "available");

    // What has changed meanwhile is not overwritten.
    let stale = [("if-match", "\"1\"")];
    let reply = owner
        .send(Method::PUT, &path, Some(json!({"priceMinor": 1})), &stale)
        .await;
    let current = reply.expect_error(412, "stale_version");
    assert_eq!(current["current"]["version"], later["version"]);
    owner
        .delete(&house.path(&format!(
            "/menu/categories/{}",
            category["id"].as_str().unwrap()
        )))
        .await
        .expect_error(409, "conflict");
    owner.delete(&path).await.expect(204);
    owner.get(&path).await.expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dish_cannot_be_is_named() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let path = house.path("/dishes");
    let reply = house.owner.post(&path, json!({})).await;
    assert_eq!(reply.fields(), ["dishName", "priceMinor", "currency"]);
    let option = json!({"name": "Rare", "priceMinor": 0});
    for (more, field) in [
        (json!({"dishName": " "}), "dishName"),
        (json!({"priceMinor": -1}), "priceMinor"),
        (json!({"currency": "EURO"}), "currency"),
        (json!({"currency": "XXX"}), "currency"),
        (json!({"imageUrl": "http://example.com/x.png"}), "imageUrl"),
        (
            json!({"imageUrl": "https://169.254.169.254/x.png"}),
            "imageUrl",
        ),
        (json!({"imageUrl": "https://a.b\"onerror=\"x"}), "imageUrl"),
        (
            json!({"imageUrl": "https://example.com:8443/x"}),
            "imageUrl",
        ),
        (json!({"imageUrl": "https://0x7f.1/x.png"}), "imageUrl"),
        (json!({"dishName": "Sou\u{200b}p"}), "dishName"),
        (json!({"dishName": "\u{2800}"}), "dishName"),
        (json!({"station": "\u{301}"}), "station"),
        (json!({"allergens": ["moonlight"]}), "allergens[0]"),
        (json!({"categoryId": uuid::Uuid::now_v7()}), "categoryId"),
        (
            json!({"availability": {"status": "available", "until": "2099-01-01T00:00:00Z"}}),
            "availability.until",
        ),
        (
            json!({"availability": {"status": "sold_out", "quantityLeft": 2}}),
            "availability.quantityLeft",
        ),
        (
            json!({"modifierGroups": [{"name": "Done", "min": 0, "max": 2, "options": [option]}]}),
            "modifierGroups[0].max",
        ),
        (
            json!({"modifierGroups": [{"name": "Done", "min": 2, "max": 1, "options": [option]}]}),
            "modifierGroups[0].min",
        ),
        (
            json!({"modifierGroups": [{"name": "Done", "min": 0, "max": 1, "options": []}]}),
            "modifierGroups[0].options",
        ),
        (json!({"preparationMinutes": 1441}), "preparationMinutes"),
        (json!({"position": -1}), "position"),
    ] {
        let reply = house.owner.post(&path, dish("Soup", more)).await;
        assert_eq!(
            (reply.status, reply.fields().first().copied()),
            (422, Some(field)),
            "{}",
            reply.text
        );
    }
    // A category of another restaurant is no category.
    let other = Restaurant::new(&app).await;
    let theirs = other
        .owner
        .post("/menus/categories", json!({"name": "Theirs"}))
        .await
        .expect(201);
    let reply = house
        .owner
        .post(&path, dish("Soup", json!({"categoryId": theirs["id"]})))
        .await;
    assert_eq!(reply.fields(), ["categoryId"]);
    let windows = json!({"name": "Lunch", "windows": [{"fromMinute": 700, "untilMinute": 600}]});
    let reply = house.owner.post("/menus/categories", windows).await;
    assert_eq!(reply.fields(), ["windows[0].untilMinute"]);
    assert_eq!(house.owner.get(&path).await.expect(200), json!([]));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_do_not_name_the_restaurant() {
    let app = TestApp::with(1, &[]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let staff = house.member(&app, "staff").await;
    let reply = house
        .owner
        .post(
            "/api/menus/categories",
            json!({"name": "Lunch", "restaurantId": house.id}),
        )
        .await;
    let place = reply.header("location").unwrap().to_owned();
    let lunch = reply.expect(201);
    assert_eq!(house.owner.get(&place).await.expect(200), lunch);
    let item =
        json!({"name": "Soup", "priceMinor": 450, "currency": "EUR", "categoryId": lunch["id"]});
    let reply = house.owner.post("/api/menus/items", item.clone()).await;
    let place = reply.header("location").unwrap().to_owned();
    let soup = reply.expect(201);
    assert_eq!(soup["dishName"], "Soup");
    assert_eq!(house.owner.get(&place).await.expect(200), soup);
    staff
        .post("/api/menus/items", item.clone())
        .await
        .expect_error(403, "forbidden");
    let taken = json!({"name": "lunch"});
    house
        .owner
        .post("/menus/categories", taken)
        .await
        .expect_error(409, "conflict");
    let mut elsewhere = item;
    elsewhere["restaurantId"] = json!(other.id);
    house
        .owner
        .post("/menus/items", elsewhere)
        .await
        .expect_error(404, "not_found");

    // Pages and filters.
    for name in ["Alpha", "Beta", "Gamma"] {
        house
            .dish(name, json!({"isPublished": name == "Beta"}))
            .await;
    }
    let list = async |query: &str| {
        house
            .owner
            .get(&house.path(&format!("/dishes?{query}")))
            .await
    };
    assert_eq!(names(&list("q=AM").await.body), ["Gamma"]);
    assert_eq!(names(&list("isPublished=true").await.body), ["Beta"]);
    let of_lunch = format!("categoryId={}", lunch["id"].as_str().unwrap());
    assert_eq!(names(&list(&of_lunch).await.body), ["Soup"]);
    let first = list("limit=3").await;
    assert_eq!(names(&first.body), ["Soup", "Alpha", "Beta"]);
    let link = first.header("link").unwrap();
    let next = link.split(['<', '>']).nth(1).unwrap();
    assert_eq!(names(&house.owner.get(next).await.body), ["Gamma"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_kept_as_browsers_read_them() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let path = house.path("/dishes");
    for (given, kept) in [
        ("https://a.b/\"onerror=\"x", "https://a.b/%22onerror=%22x"),
        ("https://a.b/'onerror='x", "https://a.b/%27onerror=%27x"),
        ("HTTPS://MÜLLER.de:443/ü", "https://xn--mller-kva.de/%C3%BC"),
    ] {
        let dish =
            json!({"dishName": "Soup", "priceMinor": 500, "currency": "EUR", "imageUrl": given});
        let made = house.owner.post(&path, dish).await.expect(201);
        assert_eq!(made["imageUrl"], kept);
    }
    app.finish().await;
}

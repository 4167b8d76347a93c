use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use server::seed_demo;
use testkit::wait::{DEADLINE, until};

use super::names;
use crate::support::{Client, Restaurant, TestApp};

/// How often menus were read from the database by a worker.
async fn reads(client: &Client) -> u64 {
    let text = client.get("/metrics").await.text;
    let count = text.lines().find_map(|line| {
        line.contains("database_operation_duration_seconds_count{operation=\"menu.read\"}")
            .then(|| line.rsplit(' ').next()?.parse().ok())?
    });
    count.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_menu_in_its_order() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    house
        .owner
        .put(&house.path(""), json!({"timeZone": "Europe/Berlin"}))
        .await
        .expect(200);
    let category = async |body: Value| {
        let made = house
            .owner
            .post(&house.path("/menu/categories"), body)
            .await;
        made.expect(201)["id"].clone()
    };
    let mains = category(json!({"name": "Mains", "position": 2})).await;
    let starters = category(json!({"name": "Starters", "position": 1})).await;
    let never = json!({"name": "Off", "position": 0, "isActive": false});
    let off = category(never).await;
    category(json!({"name": "Empty"})).await;
    for (name, category, position, is_published) in [
        ("Steak", &mains, 2, true),
        ("Pasta", &mains, 1, true),
        ("Planned", &mains, 0, false),
        ("Soup", &starters, 0, true),
        ("Gone", &off, 0, true),
        ("Water", &Value::Null, 0, true),
    ] {
        let more =
            json!({"categoryId": category, "position": position, "isPublished": is_published});
        house.dish(name, more).await;
    }
    let reply = app
        .client(1)
        .get(&format!("/api/restaurants/{}/menu", house.id))
        .await;
    assert_eq!(reply.header("cache-control"), Some("public, max-age=5"));
    let tag = reply.header("etag").unwrap().to_owned();
    let menu = reply.expect(200);
    assert_eq!(menu["timeZone"], "Europe/Berlin");
    let parts: Vec<(String, Vec<String>)> = menu["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            (
                part["name"].as_str().unwrap().to_owned(),
                names(&part["dishes"]),
            )
        })
        .collect();
    let expected = [
        ("Starters", vec!["Soup"]),
        ("Mains", vec!["Pasta", "Steak"]),
    ];
    let expected = expected.map(|(name, dishes)| {
        let dishes = dishes.into_iter().map(str::to_owned).collect::<Vec<_>>();
        (name.to_owned(), dishes)
    });
    assert_eq!(parts, expected);
    assert_eq!(names(&menu["uncategorized"]), ["Water"]);

    // The tag is that of the content, at every worker, and it stays while the floor is busy.
    house.guest("Ann", 2).await;
    for worker in 0..2 {
        let known = [("if-none-match", tag.as_str())];
        let path = house.path("/menu");
        let reply = app
            .client(worker)
            .send(Method::GET, &path, None, &known)
            .await;
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (304, ""),
            "worker {worker}"
        );
    }
    app.client(0)
        .get(&format!("/restaurants/{}/menu", uuid::Uuid::now_v7()))
        .await
        .expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_is_kept_until_the_log_says_otherwise() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let id = house.dish("Pizza", json!({"isPublished": true})).await;
    let guests = [app.client(0), app.client(1)];
    // Many who come at once are one read at each worker, and later ones none.
    let before = [reads(&guests[0]).await, reads(&guests[1]).await];
    let all = join_all((0..40).map(|n: usize| house.menu(&guests[n % 2]))).await;
    assert!(
        all.iter()
            .all(|menu| names(&menu["uncategorized"]) == ["Pizza"])
    );
    // (A new minute may begin in between.)
    for (guest, before) in guests.iter().zip(before) {
        let after = reads(guest).await;
        assert!((1..=2).contains(&(after - before)), "{before} {after}");
    }
    // A change is seen at once where it was made, and elsewhere when its event is there.
    let path = house.path(&format!("/dishes/{id}"));
    for name in ["Pizza Margherita", "Pizza Napoli", "Pizza"] {
        house
            .owner
            .put(&path, json!({"dishName": name}))
            .await
            .expect(200);
        assert_eq!(
            names(&house.menu(&guests[0]).await["uncategorized"]),
            [name]
        );
        until("the other worker to hear", DEADLINE, async || {
            (names(&house.menu(&guests[1]).await["uncategorized"]) == [name]).then_some(())
        })
        .await;
    }
    // What was withdrawn is in no list.
    let toggle = format!("/dishes/{id}/toggle");
    house
        .owner
        .send(Method::PATCH, &toggle, None, &[])
        .await
        .expect(200);
    assert_eq!(house.menu(&guests[0]).await["uncategorized"], json!([]));
    assert!(house.dishes_for(&guests[0]).await.is_empty());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_is_made_up_for() {
    let proxy = testkit::proxy::Proxy::for_url(&testkit::redis::url()).await;
    let app = TestApp::with(2, &[("REDIS_URL", proxy.url())]).await;
    let house = Restaurant::new(&app).await;
    let id = house.dish("Pizza", json!({"isPublished": true})).await;
    let guest = app.client(1);
    assert_eq!(names(&house.menu(&guest).await["uncategorized"]), ["Pizza"]);
    proxy.refuse();
    let path = house.path(&format!("/dishes/{id}"));
    house
        .owner
        .put(&path, json!({"dishName": "Calzone"}))
        .await
        .expect(200);
    until(
        "the other worker to look into the log",
        DEADLINE,
        async || (names(&house.menu(&guest).await["uncategorized"]) == ["Calzone"]).then_some(()),
    )
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_changes_a_menu_too() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let id = house.dish("Pizza", json!({"isPublished": true})).await;
    let anybody = app.client(0);
    let now: chrono::DateTime<chrono::Utc> = {
        let menu = anybody.get("/health").await;
        let date = menu.header("date").unwrap();
        chrono::DateTime::parse_from_rfc2822(date).unwrap().into()
    };
    let path = house.path(&format!("/dishes/{id}"));
    let tomorrow = (now + TimeDelta::days(1)).to_rfc3339();
    let gone = json!({"availability": {"status": "sold_out", "until": tomorrow}});
    house.owner.put(&path, gone).await.expect(200);
    let status =
        async || house.menu(&anybody).await["uncategorized"][0]["availability"]["status"].clone();
    assert_eq!(status().await, "sold_out");
    app.time()
        .advance(TimeDelta::days(1) - TimeDelta::minutes(5));
    assert_eq!(status().await, "sold_out");
    app.time().advance(TimeDelta::minutes(6));
    assert_eq!(status().await, "available");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_has_a_menu() {
    let app = TestApp::with(1, &[]).await;
    let state = &app.worker(0).state;
    assert!(seed_demo::seed(&state.db, &state.passwords).await.unwrap());
    let path = format!("/restaurants/{}/menu", seed_demo::RESTAURANT);
    let menu = app.client(0).get(&path).await.expect(200);
    let parts = menu["categories"].as_array().unwrap();
    let dishes: usize = parts.iter().map(|part| names(&part["dishes"]).len()).sum();
    // Three are still being tried out.
    assert_eq!((parts.len(), dishes), (7, 37));
    app.finish().await;
}

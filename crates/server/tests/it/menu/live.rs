use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Restaurant, Socket, TestApp};

async fn watch(client: &Client, query: &str) -> Result<Socket, (u16, Value)> {
    Socket::open_at(client, &format!("/ws{query}"), &[]).await
}

async fn toggle(client: &Client, id: i64) {
    let path = format!("/dishes/{id}/toggle");
    client
        .send(Method::PATCH, &path, None, &[])
        .await
        .expect(200);
}

/// The kind, dish and state of the next frame about a dish.
async fn next(socket: &mut Socket) -> (i64, bool) {
    let frame = socket.frame_of("dishStatusChanged").await;
    let data = &frame["data"];
    (
        data["dishId"].as_i64().unwrap(),
        data["isPublished"].as_bool().unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_hears_what_is_published_and_withdrawn_and_nothing_else() {
    let app = TestApp::start().await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let query = format!("?restaurant_id={}", house.id);
    let mut guest = watch(&app.client(1), &query).await.unwrap();
    let mut tablet = house.socket(&app, 1).await;

    let hidden = house.dish("Secret", json!({})).await;
    let path = house.path(&format!("/dishes/{hidden}"));
    house
        .owner
        .put(&path, json!({"dishName": "Still secret"}))
        .await
        .expect(200);
    house
        .owner
        .put(&path, json!({"availability": {"status": "sold_out"}}))
        .await
        .expect(200);
    house.guest("Ann", 2).await;
    house
        .owner
        .post(&house.path("/menu/categories"), json!({"name": "Plans"}))
        .await
        .expect(201);
    house
        .owner
        .put(&house.path(""), json!({"name": "New Name"}))
        .await
        .expect(200);
    other.dish("Theirs", json!({"isPublished": true})).await;
    let shown = house
        .dish(
            "Pizza",
            json!({"isPublished": true, "imageUrl": "https://example.com/p.png"}),
        )
        .await;
    let frame = guest.frame().await;
    assert_eq!(
        (&frame["type"], &frame["data"]),
        (
            &json!("dishStatusChanged"),
            &json!({"dishId": shown, "dishName": "Pizza",
                "imageUrl": "https://example.com/p.png", "isPublished": true})
        )
    );
    assert_eq!((&frame["seq"], frame.get("actor_id")), (&json!(7), None));

    // A published dish that changes in other ways is read from the menu.
    let path = house.path(&format!("/dishes/{shown}"));
    house
        .owner
        .put(&path, json!({"priceMinor": 1}))
        .await
        .expect(200);
    toggle(&house.owner, hidden).await;
    assert_eq!(next(&mut guest).await, (hidden, true));
    house.owner.delete(&path).await.expect(204);
    assert_eq!(next(&mut guest).await, (shown, false));

    // Staff hear everything, with the whole dish and its number.
    let frames = tablet.until(10).await;
    let created = &frames[0];
    assert_eq!(
        (
            &created["type"],
            &created["dish_id"],
            &created["data"]["priceMinor"]
        ),
        (&json!("dish_created"), &json!(hidden), &json!(990))
    );
    let kinds: Vec<&str> = frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "dish_created",
            "dish_updated",
            "dish_updated",
            "guest_created",
            "category_created",
            "restaurant_updated",
            "dish_created",
            "dish_updated",
            "dish_updated",
            "dish_deleted"
        ]
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_was_away_hears_what_was_missed_from_any_worker() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let query = format!("?restaurant_id={}", house.id);
    let id = house.dish("Pizza", json!({"isPublished": true})).await;
    let mut guest = watch(&app.client(0), &query).await.unwrap();
    let epoch = guest.connect["epoch"].as_str().unwrap().to_owned();
    toggle(&house.owner, id).await;
    let seen = guest.frame().await["seq"].as_i64().unwrap();
    drop(guest);
    toggle(&house.owner, id).await;
    house.guest("Ann", 2).await;
    toggle(&house.owner, id).await;

    let query = format!("{query}&since={seen}&epoch={epoch}");
    let mut guest = watch(&app.client(1), &query).await.unwrap();
    assert_eq!(guest.connect["resumed"], true);
    assert_eq!(next(&mut guest).await, (id, true));
    assert_eq!(next(&mut guest).await, (id, false));
    // The menu says where it was read; from there on nothing is missed either.
    let menu = app.client(1).get(&house.path("/menu")).await;
    let (epoch, seq) = menu.header("x-event-seq").unwrap().split_once(':').unwrap();
    toggle(&house.owner, id).await;
    let query = format!("?restaurant_id={}&since={seq}&epoch={epoch}", house.id);
    let mut guest = watch(&app.client(0), &query).await.unwrap();
    assert_eq!(next(&mut guest).await, (id, true));
    let beyond = format!("?restaurant_id={}&since=999&epoch={epoch}", house.id);
    let mut guest = watch(&app.client(0), &beyond).await.unwrap();
    assert_eq!(guest.frame().await["reason"], "ahead_of_log");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_only_listens() {
    let app = TestApp::with(1, &[("PUBLIC_SOCKETS_PER_ADDRESS", "2")]).await;
    let house = Restaurant::new(&app).await;
    house.guest("Ann", 2).await;
    let anybody = app.client(0);
    let query = format!("?restaurant_id={}", house.id);
    let mut guest = watch(&anybody, &query).await.unwrap();
    for message in [
        json!({"type": "request_full_sync"}),
        json!({"type": "auth", "token": house.owner.token}),
    ] {
        guest.say(message).await;
        let frame = guest.frame().await;
        assert_eq!(
            (&frame["type"], &frame["code"]),
            (&json!("error"), &json!("forbidden"))
        );
    }
    guest.say(json!({"type": "ping"})).await;
    assert_eq!(guest.frame().await["type"], "pong");

    // So many from one address, and no more; those who leave make room.
    let second = watch(&anybody, &query).await.unwrap();
    let (status, body) = watch(&anybody, &query).await.err().unwrap();
    assert_eq!((status, &body["code"]), (429, &json!("too_many")));
    drop(second);
    testkit::wait::until("a place", testkit::wait::DEADLINE, async || {
        watch(&anybody, &query).await.ok().map(drop)
    })
    .await;
    // A handshake that is refused does not keep its place.
    for (query, refusal) in [
        (String::new(), 422),
        (format!("?restaurant_id={}", uuid::Uuid::now_v7()), 404),
    ] {
        testkit::wait::until("the refusal", testkit::wait::DEADLINE, async || {
            let refused = watch(&anybody, &query).await.err().unwrap();
            (refused.0 == refusal).then_some(())
        })
        .await;
    }
    testkit::wait::until("the refusal", testkit::wait::DEADLINE, async || {
        let plain = anybody.get(&format!("/ws{query}")).await;
        (plain.status == 400).then_some(())
    })
    .await;
    watch(&anybody, &query).await.unwrap();
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_restaurant_needs_no_name() {
    let mut app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    app.set_var("DEFAULT_RESTAURANT_ID", &house.id);
    let worker = app.add_worker().await;
    let anybody = app.client(worker);
    let mut guest = watch(&anybody, "").await.unwrap();
    let id = house.dish("Pizza", json!({"isPublished": true})).await;
    assert_eq!(next(&mut guest).await, (id, true));
    assert_eq!(
        super::names(&anybody.get("/api/dishes").await.expect(200)),
        ["Pizza"]
    );
    app.finish().await;
}

//! `Idempotency-Key`: sent again, done once.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use server::Need;
use server::routes;
use testkit::wait::{DEADLINE, until};
use uuid::Uuid;

use crate::support::app::connect;
use crate::support::restaurant::PASSWORD;
use crate::support::{Client, Reply, Restaurant, TestApp, day, guest, table};

/// What is kept of an answer.
fn kept(reply: &Reply) -> (u16, &str, [Option<&str>; 3]) {
    let headers = ["etag", "x-event-seq", "location"].map(|name| reply.header(name));
    (reply.status, &reply.text, headers)
}

/// The same of an answer whose link is shown once.
fn without_link(reply: &Reply) -> (u16, Value, Option<&str>) {
    let mut body = reply.body.clone();
    body.as_object_mut()
        .unwrap()
        .retain(|name, _| !name.starts_with("link"));
    (reply.status, body, reply.header("location"))
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == Some("true")
}

async fn names(house: &Restaurant) -> Vec<String> {
    let list = house.owner.get(&house.path("/guests")).await.expect(200);
    let names = list.as_array().unwrap().iter();
    names
        .map(|guest| guest["guestName"].as_str().unwrap().to_owned())
        .collect()
}

async fn head(house: &Restaurant) -> Value {
    let dashboard = house.owner.get(&house.path("/dashboard-data")).await;
    dashboard.expect(200)["seq"].clone()
}

/// A body for a PATCH, which changes something, and the path.
async fn change(house: &Restaurant, pattern: &str) -> (String, Value) {
    let id = |made: Value, name: &str| made[name].to_string().replace('"', "");
    let (placeholder, id, body) = match pattern {
        "/restaurants/{rid}/guests/{gid}" => {
            let id = house.guest("Eve", 2).await;
            ("{gid}", id, json!({"notes": "window"}))
        }
        "/restaurants/{rid}/tables/{tid}" => {
            let id = house.table("99", 2).await;
            ("{tid}", id, json!({"section": "Bar"}))
        }
        "/restaurants/{rid}/reservations/{id}" => {
            let time = format!("{}T12:00:00Z", day());
            let booking = json!({"guestName": "Fay", "partySize": 2, "reservationTime": time});
            let made = house
                .owner
                .post(&house.path("/reservations"), booking)
                .await;
            let id = id(made.expect(201), "id");
            ("{id}", id, json!({"notes": "birthday"}))
        }
        "/restaurants/{rid}/menu/categories/{cid}" => {
            let category = json!({"name": "Soups"});
            let made = house
                .owner
                .post(&house.path("/menu/categories"), category)
                .await;
            let id = id(made.expect(201), "id");
            ("{cid}", id, json!({"name": "Soups of the day"}))
        }
        "/restaurants/{rid}/dishes/{dishId}" | "/dishes/{dishId}/toggle" => {
            let dish = json!({"dishName": "Bread", "priceMinor": 250, "currency": "EUR"});
            let made = house.owner.post(&house.path("/dishes"), dish).await;
            let id = id(made.expect(201), "dishId");
            ("{dishId}", id, json!({"priceMinor": 300}))
        }
        _ => panic!("{pattern} is new: it needs an example here"),
    };
    let path = pattern.replace("{rid}", &house.id);
    (path.replace(placeholder, &id), body)
}

/// A body for a POST, which can be accepted once, and the path.
async fn example(app: &TestApp, house: &Restaurant, pattern: &str) -> (String, Value) {
    let create = json!({"op": "create", "entity": "guest", "data": guest("Ann", 2)});
    let time = format!("{}T18:00:00Z", day());
    let booking = json!({"guestName": "Bob", "partySize": 2, "reservationTime": time});
    let rest = pattern.strip_prefix("/restaurants/{rid}");
    let body = match rest.unwrap_or(pattern) {
        "/guests" => guest("Ann", 2),
        "/tables" => table("77", 2),
        "/users" => json!({"email": "b@example.com", "firstName": "B", "role": "staff"}),
        "/users/{uid}/reset-link" => {
            let (id, _) = house.member_with_id(app, "staff").await;
            let path = pattern.replace("{rid}", &house.id);
            return (path.replace("{uid}", &id), json!({}));
        }
        "/invitations/{iid}/confirm" => {
            let (id, secret) = house.invite(json!({})).await;
            let body = json!({"secret": secret, "email": "c@example.com", "password": PASSWORD});
            let accepted = app.client(0).post("/invitations/accept", body).await;
            accepted.expect(201);
            let path = pattern.replace("{rid}", &house.id);
            return (path.replace("{iid}", &id), json!({}));
        }
        "/reservations" | "/holds" => booking,
        "/guests/{gid}/link" => {
            let id = house.guest("Eve", 2).await;
            let path = pattern.replace("{rid}", &house.id);
            return (path.replace("{gid}", &id), json!({}));
        }
        "/reservations/{id}/check-in" | "/reservations/{id}/seat" | "/reservations/{id}/link" => {
            let bookings = house.path("/reservations");
            let booked = house.owner.post(&bookings, booking).await.expect(201);
            let path = pattern.replace("{rid}", &house.id);
            let path = path.replace("{id}", booked["id"].as_str().unwrap());
            return (path, json!({}));
        }
        "/batch-update" => {
            let id = house.guest("Cid", 2).await;
            json!({"guests": [{"id": id, "notes": "regular"}], "tables": []})
        }
        "/menu/categories" => json!({"name": "Starters"}),
        "/menus/categories" => json!({"restaurantId": house.id, "name": "Mains"}),
        "/dishes" => json!({"dishName": "Soup", "priceMinor": 650, "currency": "EUR"}),
        "/menus/items" => {
            json!({"restaurantId": house.id, "dishName": "Stew", "priceMinor": 1450, "currency": "EUR"})
        }
        "/menu/import" => {
            json!({"dishes": [{"dishName": "Cake", "priceMinor": 550, "currency": "EUR"}]})
        }
        "/privacy/erase" => json!({"phone": "+49 30 555555"}),
        "/atomic" => json!({"transactionId": Uuid::now_v7(), "operations": [create]}),
        "/atomic/batch" => {
            json!({"restaurant_id": house.id, "transactionId": Uuid::now_v7(), "operations": [create]})
        }
        "/sync/batch" => {
            let operations: Vec<Value> = (0..120)
                .map(|number| json!({"clientId": format!("c{number}"), "op": "create", "entity": "guest", "data": guest("Dan", 1)}))
                .collect();
            json!({"operations": operations})
        }
        _ => panic!("{pattern} is new: it needs an example here"),
    };
    (pattern.replace("{rid}", &house.id), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_post_and_patch_is_done_once() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    for number in 1..9 {
        house.table(&number.to_string(), 4).await;
    }
    let other = house.owner.at(&app.client(1));
    let sql = connect(app.database_url()).await;
    let mut checked = 0;
    for row in routes().list().filter(|row| row.takes_keys) {
        let (method, pattern) = (&row.method, row.path);
        let (path, body) = if method == "PATCH" {
            change(&house, pattern).await
        } else {
            example(&app, &house, pattern).await
        };
        let first = house
            .owner
            .send_once(method.as_str(), pattern, &path, body.clone());
        let first = first.await;
        assert!(
            [200, 201].contains(&first.status),
            "{pattern}: {}",
            first.text
        );
        assert!(!is_replayed(&first), "{pattern}");
        let before = head(&house).await;
        // Through another worker and another mount.
        let path = format!("/api{path}");
        let again = other.send_once(method.as_str(), pattern, &path, body).await;
        assert!(is_replayed(&again), "{pattern}: {}", again.text);
        if first.body["link"].is_string() {
            assert_eq!(without_link(&again), without_link(&first), "{pattern}");
            // It is kept nowhere, and the answer says so.
            assert_eq!(again.body["link"], Value::Null, "{pattern}");
            assert!(again.body["linkNotice"].is_string(), "{pattern}");
            let answers = "SELECT string_agg(result, '') FROM client_operations";
            let row = sql.query_one(answers, &[]).await.unwrap();
            let (_, secret) = first.body["link"]
                .as_str()
                .unwrap()
                .rsplit_once('/')
                .unwrap();
            assert!(!row.get::<_, String>(0).contains(secret), "{pattern}");
        } else {
            assert_eq!(kept(&again), kept(&first), "{pattern}");
        }
        assert_eq!(head(&house).await, before, "{pattern} was done again");
        checked += 1;
    }
    assert!(checked >= 18, "only {checked} routes were checked");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_never_answered_again() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let body = json!({"email": house.email, "password": PASSWORD});
    let mut answers = Vec::new();
    for _ in 0..2 {
        let path = "/realtime/tickets";
        let reply = house.owner.post_once("key", path, body.clone()).await;
        assert!(!is_replayed(&reply));
        answers.push(reply.expect(201));
    }
    assert_ne!(answers[0], answers[1]);
    app.finish().await;
}

/// Whoever sends a key believes that sending again is harmless: where nobody can be told from
/// others there is no place to keep an answer, and so the key is refused and nothing is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_key_is_refused_and_never_ignored() {
    let app = TestApp::with(1, &[]).await;
    let anybody = app.client(0);
    let mut checked = 0;
    for row in routes().list() {
        let (method, pattern) = (&row.method, row.path);
        if row.need != Need::Public || method.is_safe() {
            continue;
        }
        assert!(!row.takes_keys, "{method} {pattern}");
        let body = json!({
            "email": "new@example.com", "password": PASSWORD, "restaurantName": "New",
            "firstName": "N", "lastName": "N", "refresh_token": "none",
        });
        let reply = anybody
            .send_once(method.as_str(), "key", pattern, body)
            .await;
        assert!(reply.text.contains("Idempotency-Key"), "{}", reply.text);
        reply.expect_error(400, "bad_request");
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} routes were checked");
    let login = json!({"email": "new@example.com", "password": PASSWORD});
    let reply = anybody.post("/auth/login", login).await;
    reply.expect_error(401, "wrong_credentials");
    app.finish().await;
}

/// What a request says beside its body is a part of what it means.
#[tokio::test(flavor = "multi_thread")]
async fn another_version_or_query_is_another_request() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (path, body) = change(&house, "/restaurants/{rid}/guests/{gid}").await;
    let send = async |path: &str, version: &str| {
        let headers = [("idempotency-key", "key"), ("if-match", version)];
        let sent = house
            .owner
            .send(Method::PATCH, path, Some(body.clone()), &headers);
        sent.await
    };
    let first = send(&path, "\"1\"").await;
    assert_eq!(first.status, 200, "{}", first.text);
    // Its version is another by now: only what was kept answers this.
    let again = send(&path, "\"1\"").await;
    assert!(is_replayed(&again), "{}", again.text);
    assert_eq!(kept(&again), kept(&first));
    for (path, version) in [(path.clone(), "\"2\""), (format!("{path}?x=1"), "\"1\"")] {
        let reply = send(&path, version).await;
        assert_eq!(reply.fields(), ["Idempotency-Key"]);
        reply.expect_error(422, "invalid");
    }
    // Refused for its version, so nothing was kept: with the right one it is done.
    let headers = [("idempotency-key", "other"), ("if-match", "\"9\"")];
    let stale = house
        .owner
        .send(Method::PATCH, &path, Some(body.clone()), &headers);
    assert_eq!(stale.await.status, 412);
    app.finish().await;
}

/// The flip of a dish, asked for twice because a reply was lost, is one flip; with a version, only
/// what was seen is flipped.
#[tokio::test(flavor = "multi_thread")]
async fn a_dish_is_flipped_once() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (path, _) = change(&house, "/dishes/{dishId}/toggle").await;
    let other = house.owner.at(&app.client(1));
    let mut flips = Vec::new();
    for client in [&house.owner, &other, &house.owner] {
        let reply = client.send(Method::PATCH, &path, None, &[("idempotency-key", "flip")]);
        flips.push(reply.await.expect(200)["isPublished"].clone());
    }
    assert_eq!(flips[0], flips[1]);
    assert_eq!(flips[0], flips[2]);
    let stale = house
        .owner
        .send(Method::PATCH, &path, None, &[("if-match", "\"1\"")]);
    assert_eq!(stale.await.status, 412);
    let flipped = house
        .owner
        .send(Method::PATCH, &path, None, &[("if-match", "\"2\"")]);
    assert_ne!(flipped.await.expect(200)["isPublished"], flips[0]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_copies_at_two_workers_are_one() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (path, other) = (house.path("/guests"), house.owner.at(&app.client(1)));
    for round in 0..5 {
        let key = format!("round-{round}");
        let copies = (0..20).map(|number| {
            let client = [&house.owner, &other][number % 2];
            client.post_once(&key, &path, guest(&key, 2))
        });
        let mut done = None;
        for reply in join_all(copies).await {
            if reply.status == 409 {
                assert_eq!(reply.header("retry-after"), Some("1"));
                reply.expect_error(409, "in_progress");
                continue;
            }
            let first = done.get_or_insert_with(|| reply.clone());
            assert_eq!(kept(&reply), kept(first));
        }
        let last = other.post_once(&key, &path, guest(&key, 2)).await;
        assert!(is_replayed(&last));
        assert_eq!(kept(&last), kept(&done.unwrap()));
        assert_eq!(names(&house).await.len(), round + 1);
    }
    app.finish().await;
}

/// Asks until nobody else is answering.
async fn ask_again(client: &Client, key: &str, path: &str, body: &Value) -> Reply {
    until("the first to be over", DEADLINE, async || {
        let reply = client.post_once(key, path, body.clone()).await;
        (reply.status != 409).then_some(reply)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_was_lost_is_asked_for_again() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (path, other) = (house.path("/guests"), house.owner.at(&app.client(1)));
    // It was done, and the reply went nowhere.
    let (ann, key) = (guest("Ann", 2), [("idempotency-key", "ann")]);
    let is_there = async || {
        until("it to be done", DEADLINE, async || {
            (names(&house).await == ["Ann"]).then_some(())
        })
        .await;
    };
    let owner = &house.owner;
    owner.send_and_hang_up(&path, &ann, &key, is_there).await;
    let again = ask_again(&other, "ann", &path, &ann).await;
    assert!(is_replayed(&again));
    again.expect(201);
    // Nobody knows how far it got.
    for round in 0..20 {
        let (name, body) = (format!("r{round}"), guest(&format!("r{round}"), 2));
        let key = [("idempotency-key", name.as_str())];
        owner
            .send_and_hang_up(&path, &body, &key, async || {})
            .await;
        ask_again(&other, &name, &path, &body).await.expect(201);
        ask_again(owner, &name, &path, &body).await.expect(201);
        assert_eq!(names(&house).await.len(), 2 + round);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_same_key_and_what_is_not() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let staff = house.member(&app, "staff").await.at(&app.client(1));
    let path = house.path("/guests");
    let post =
        async |client: &Client, name: &str| client.post_once("key", &path, guest(name, 2)).await;
    post(&house.owner, "Ann").await.expect(201);
    // Another body, at any worker.
    for client in [&house.owner, &house.owner.at(&app.client(1))] {
        let reply = post(client, "Bob").await;
        assert_eq!(reply.fields(), ["Idempotency-Key"]);
        reply.expect_error(422, "invalid");
    }
    // Somebody else's key, and the same on another route.
    let reply = post(&staff, "Ann").await;
    assert!(!is_replayed(&reply));
    reply.expect(201);
    let (tables, table) = (house.path("/tables"), table("1", 2));
    let reply = house.owner.post_once("key", &tables, table).await;
    assert!(!is_replayed(&reply));
    reply.expect(201);
    assert_eq!(names(&house).await, ["Ann", "Ann"]);
    // Other ids in the path.
    house.table("2", 2).await;
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let (check_in, body) = example(
            &app,
            &house,
            "/restaurants/{rid}/reservations/{id}/check-in",
        )
        .await;
        statuses.push(is_replayed(
            &house.owner.post_once("key", &check_in, body).await,
        ));
    }
    assert_eq!(statuses, [false, false]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_looked_at_anew() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let one = house.table("1", 4).await;
    let (path, body) = (house.path("/tables"), table("1", 2));
    let post = async || house.owner.post_once("key", &path, body.clone()).await;
    for _ in 0..2 {
        let refused = post().await;
        assert!(!is_replayed(&refused));
        refused.expect_error(409, "table_number_taken");
    }
    let first = house.path(&format!("/tables/{one}"));
    house.owner.delete(&first).await.expect(204);
    post().await.expect(201);
    assert!(is_replayed(&post().await));
    for (key, body) in [("two words", body.clone()), ("", body)] {
        let reply = house.owner.post_once(key, &path, body).await;
        reply.expect_error(400, "bad_request");
    }
    // Who has no business here is told so first.
    let anybody = app.client(0);
    let reply = anybody.post_once("two words", &path, json!({})).await;
    reply.expect_error(401, "unauthenticated");
    let long = vec![b' '; server::BODY_LIMIT + 1];
    let headers = [
        ("idempotency-key", "key"),
        ("content-type", "application/json"),
    ];
    let reply = house
        .owner
        .send_raw(Method::POST, &path, Some(long), &headers);
    reply.await.expect_error(413, "too_large");
    app.finish().await;
}

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, Restaurant, Socket, TestApp};

async fn refused(client: &Client, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    match Socket::open_at(client, path, headers).await {
        Ok(_) => panic!("{path} was let in"),
        Err(refused) => refused,
    }
}

async fn ticket(house: &Restaurant) -> String {
    let ticket = house
        .owner
        .post("/api/v1/realtime/tickets", json!({}))
        .await
        .expect(201);
    ticket["ticket"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_ways_to_pass_it() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (client, token) = (app.client(1), house.owner.token.clone().unwrap());
    let path = format!("/realtime?restaurant_id={}", house.id);
    let bearer = format!("Bearer {token}");
    Socket::open_at(&client, &path, &[("authorization", &bearer)])
        .await
        .unwrap();
    let protocol = format!("bearer, {token}");
    Socket::open_at(&client, &path, &[("sec-websocket-protocol", &protocol)])
        .await
        .unwrap();
    // Bought at one worker, used at the other, once.
    let bought = format!("{path}&token={}", ticket(&house).await);
    Socket::open_at(&client, &bought, &[]).await.unwrap();
    assert_eq!(refused(&client, &bought, &[]).await.0, 401);
    let late = format!("{path}&token={}", ticket(&house).await);
    app.time().advance(TimeDelta::seconds(31));
    assert_eq!(refused(&client, &late, &[]).await.0, 401);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_before_the_upgrade() {
    let app = TestApp::with(2, &[("MAX_SESSIONS", "1")]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let client = app.client(0);
    let bearer = format!("Bearer {}", house.owner.token.as_ref().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let path = |id: &str, rest: &str| format!("/realtime?restaurant_id={id}{rest}");

    let expect = async |path: &str, headers: &[(&str, &str)], status: u16, code: &str| {
        let (found, body) = refused(&client, path, headers).await;
        assert_eq!(
            (found, body["code"].as_str()),
            (status, Some(code)),
            "{path}: {body}"
        );
        assert_eq!(body["status"], status);
    };
    expect(&path(&house.id, ""), &[], 401, "unauthenticated").await;
    expect(
        &path(&house.id, "&token=nonsense"),
        &[],
        401,
        "unauthenticated",
    )
    .await;
    expect(
        &path(&house.id, ""),
        &[("authorization", "Bearer a.b.c")],
        401,
        "unauthenticated",
    )
    .await;
    expect(&path(&other.id, ""), &headers, 404, "not_found").await;
    expect(
        &path(&house.id, "&since=-1&epoch=x"),
        &headers,
        422,
        "invalid",
    )
    .await;
    expect(
        &path(&house.id, "&types=guest_exploded"),
        &headers,
        422,
        "invalid",
    )
    .await;
    expect("/realtime", &headers, 422, "invalid").await;
    let _held = Socket::open_at(&client, &path(&house.id, ""), &headers)
        .await
        .unwrap();
    expect(&path(&house.id, ""), &headers, 429, "too_many").await;
    app.time().advance(TimeDelta::minutes(16));
    expect(&path(&house.id, ""), &headers, 401, "token_expired").await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_handshake_is_told_what_is_missing() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let path = format!("/realtime?restaurant_id={}", house.id);
    let get = |headers: &'static [(&'static str, &'static str)]| {
        let (owner, path) = (house.owner.clone(), path.clone());
        async move { owner.send(reqwest::Method::GET, &path, None, headers).await }
    };
    get(&[]).await.expect_error(400, "bad_request");
    get(&[("connection", "upgrade"), ("upgrade", "websocket")])
        .await
        .expect_error(400, "bad_request");
    get(&[
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "8"),
    ])
    .await
    .expect_error(400, "bad_request");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_renewed_in_place() {
    let app = TestApp::with(1, &[("WS_HEARTBEAT_INTERVAL", "1")]).await;
    let house = Restaurant::new(&app).await;
    let mut renewing = house.socket(&app, 0).await;
    let mut forgetful = house.socket(&app, 0).await;
    app.time().advance(TimeDelta::minutes(10));
    let body = json!({"refresh_token": house.owner_tokens["refresh_token"]});
    let fresh = app.client(0).post("/auth/refresh", body).await.expect(200);
    renewing
        .say(json!({"type": "auth", "token": fresh["access_token"]}))
        .await;
    renewing.say(json!({"type": "ping"})).await;
    renewing.frame_of("pong").await;
    app.time().advance(TimeDelta::minutes(6));
    let closed = forgetful.closed().await;
    assert_eq!(closed.code, 4401, "{closed:?}");
    renewing.say(json!({"type": "ping"})).await;
    renewing.frame_of("pong").await;
    // Somebody else's token is not a renewal.
    let other = Restaurant::new(&app).await;
    renewing
        .say(json!({"type": "auth", "token": other.owner.token}))
        .await;
    assert_eq!(renewing.frame_of("error").await["code"], "forbidden");
    renewing
        .say(json!({"type": "auth", "token": "nonsense"}))
        .await;
    assert_eq!(renewing.frame_of("error").await["code"], "unauthenticated");
    app.finish().await;
}

//! Requests that ask for an upgrade, whatever they are about: they are answered as all others.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::raw::{Raw, handshake, upgrade};
use crate::support::{Client, Restaurant, TestApp};

/// The answer to one that is not a handshake, which ends the connection: status, `X-Request-Id`,
/// body.
async fn ask(client: &Client, request: &str) -> (u16, String, Value) {
    let mut raw = Raw::connect(client).await;
    raw.say(request).await;
    let head = raw.head().await;
    let ends = head.header("connection").unwrap();
    assert!(ends.contains("close"), "{head:?}");
    let id = head.header("x-request-id").unwrap().to_owned();
    let body = raw.rest().await;
    if let Some(length) = head.header("content-length")
        && !request.starts_with("HEAD")
    {
        assert_eq!(length, body.len().to_string());
    }
    let body = serde_json::from_slice(&body).unwrap_or_default();
    (head.status, id, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_gets_the_envelope() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (stranger, owner) = (app.client(0), &house.owner);
    let live = format!("GET /realtime?restaurant_id={}", house.id);
    let other = format!("GET /realtime?restaurant_id={}", uuid::Uuid::now_v7());
    let not_a_key = upgrade(owner, &live, "").replace("dGhl", "");
    for (request, status, code) in [
        (upgrade(&stranger, &live, ""), 401, "unauthenticated"),
        (upgrade(owner, &other, ""), 404, "not_found"),
        (not_a_key, 400, "bad_request"),
        (upgrade(owner, "GET /realtime", ""), 422, "invalid"),
        (upgrade(owner, "GET /nowhere", ""), 404, "not_found"),
        (
            upgrade(owner, "PUT /realtime", ""),
            405,
            "method_not_allowed",
        ),
        // A body that belongs to no handshake.
        (
            upgrade(owner, &live, "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
            400,
            "bad_request",
        ),
    ] {
        let request = request.replacen("Host: x", "Host: x\r\nX-Request-Id: tablet-7", 1);
        let is_chunked = request.contains("chunked");
        let request = if is_chunked {
            // Answered inside of HTTP, where the connection stays.
            request.replace("Connection: Upgrade", "Connection: Upgrade, close")
        } else {
            request
        };
        let (found, id, body) = ask(owner, &request).await;
        assert_eq!(
            (found, body["code"].as_str()),
            (status, Some(code)),
            "{request}: {body}"
        );
        assert_eq!(
            (id.as_str(), body["requestId"].as_str()),
            ("tablet-7", Some("tablet-7"))
        );
    }
    let counted =
        "qtable_http_requests_total{method=\"GET\",route=\"/api/v1/realtime\",status=\"401\"} ";
    assert!((owner.metric(counted).await - 1.0).abs() < 0.1);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_requests_are_answered() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let owner = &house.owner;
    let (status, _, _) = ask(owner, &upgrade(owner, "GET /health/live", "")).await;
    assert_eq!(status, 200);
    // A body, in two segments.
    let body = json!({"guestName": "Ann", "partySize": 2}).to_string();
    let headers = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    let (first, second) = body.split_at(9);
    let mut raw = Raw::connect(owner).await;
    let post = format!("POST {}", house.path("/guests"));
    raw.say(upgrade(owner, &post, &headers) + first).await;
    raw.say(second).await;
    assert_eq!(raw.head().await.status, 201);
    let guest: Value = serde_json::from_slice(&raw.rest().await).unwrap();
    assert_eq!(guest["guestName"], "Ann");
    // One that does not come to its end, and one that is refused unread.
    let mut raw = Raw::connect(owner).await;
    raw.say(upgrade(owner, &post, &headers) + first).await;
    raw.stream.shutdown().await.unwrap();
    assert_eq!(raw.head().await.status, 400);
    let stranger = app.client(0);
    let (status, _, body) = ask(&stranger, &(upgrade(&stranger, &post, &headers) + first)).await;
    assert_eq!((status, &body["code"]), (401, &json!("unauthenticated")));

    // Without a body, though a length is told.
    let mut raw = Raw::connect(owner).await;
    raw.say(upgrade(owner, "HEAD /openapi.json", "")).await;
    assert_eq!(raw.head().await.status, 200);
    assert_eq!(raw.rest().await, b"");
    let list = format!("GET {}", house.path("/guests"));
    let mut raw = Raw::connect(owner).await;
    raw.say(upgrade(owner, &list, "")).await;
    let tag = raw.head().await.header("etag").unwrap().to_owned();
    let mut raw = Raw::connect(owner).await;
    raw.say(upgrade(owner, &list, &format!("If-None-Match: {tag}\r\n")))
        .await;
    assert_eq!(raw.head().await.status, 304);
    assert_eq!(raw.rest().await, b"");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_one_as_well() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let mut raw = Raw::connect(&house.owner).await;
    let path = format!("GET /realtime/events?restaurant_id={}", house.id);
    raw.say(upgrade(&house.owner, &path, "")).await;
    let head = raw.head().await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("transfer-encoding"), None);
    let mut text = String::new();
    let mut written = false;
    while !text.contains("guest_created") {
        text.push(char::from(raw.bytes(1).await[0]));
        if !written && text.contains("restaurant_connect") {
            house.guest("Ann", 2).await;
            written = true;
        }
    }
    drop(raw);
    testkit::wait::until("the stream to end", testkit::wait::DEADLINE, async || {
        let open = house.owner.metric("qtable_sessions ").await;
        (open < 0.5).then_some(())
    })
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_before_the_handshake_are_answered_first() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let mut raw = Raw::connect(&house.owner).await;
    let health = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    let hello = handshake(&house.owner, &house.id);
    raw.say(format!("{health}{health}{hello}")).await;
    for _ in 0..2 {
        let head = raw.head().await;
        assert_eq!(head.status, 200);
        let length = head.header("content-length").unwrap().parse().unwrap();
        raw.bytes(length).await;
    }
    raw.begin().await;
    app.finish().await;
}

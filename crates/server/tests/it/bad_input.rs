//! Whatever comes, the answer is in the one envelope and says what is wrong.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Restaurant, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_not_what_they_should_be() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let path = house.path("/guests");
    let send = |body: &str, kind: &'static str| {
        let (owner, path, body) = (house.owner.clone(), path.clone(), body.as_bytes().to_vec());
        async move {
            owner
                .send_raw(Method::POST, &path, Some(body), &[("content-type", kind)])
                .await
        }
    };
    send("{\"guestName\": ", "application/json")
        .await
        .expect_error(400, "bad_request");
    send("", "application/json")
        .await
        .expect_error(400, "bad_request");
    send("{}", "text/plain")
        .await
        .expect_error(415, "unsupported_media_type");
    send(
        &format!("{{\"notes\": \"{}\"}}", "x".repeat(1_100_000)),
        "application/json",
    )
    .await
    .expect_error(413, "too_large");
    for (body, field) in [
        (json!({"guestName": "Ann", "partySize": "two"}), "partySize"),
        (json!({"guestName": "Ann", "partySize": 0}), "partySize"),
        (json!({"guestName": "Ann", "partySize": 101}), "partySize"),
        (
            json!({"guestName": "Ann", "partySize": 99_999_999_999_i64}),
            "partySize",
        ),
        (json!({"guestName": "Ann", "partySize": 2.5}), "partySize"),
        (json!({"guestName": "Ann"}), "partySize"),
        (json!({"partySize": 2}), "guestName"),
        (json!({"guestName": "  ", "partySize": 2}), "guestName"),
        (
            json!({"guestName": "x".repeat(10_000), "partySize": 2}),
            "guestName",
        ),
        (
            json!({"guestName": "Ann\u{0}", "partySize": 2}),
            "guestName",
        ),
        (
            json!({"guestName": "Ann", "partySize": 2, "email": "nobody"}),
            "email",
        ),
        (
            json!({"guestName": "Ann", "partySize": 2, "tags": ["x".repeat(61)]}),
            "tags[0]",
        ),
        (
            json!({"guestName": "Ann", "partySize": 2, "status": "asleep"}),
            "status",
        ),
        (
            json!({"guestName": "Ann", "partySize": 2, "tableId": "12"}),
            "tableId",
        ),
    ] {
        let reply = house.owner.post(&path, body.clone()).await;
        assert_eq!(reply.fields(), [field], "{body}");
        reply.expect_error(422, "invalid");
    }
    let reply = house.owner.post(&path, json!([1, 2])).await;
    assert!([400, 422].contains(&reply.status), "{reply:?}");
    // Nothing was taken down.
    assert_eq!(house.owner.get(&path).await.expect(200), json!([]));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_do_not_exist() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let owner = &house.owner;
    owner
        .get("/api/v1/nothing")
        .await
        .expect_error(404, "not_found");
    owner
        .get(&house.path("/guests/not-an-id"))
        .await
        .expect_error(404, "not_found");
    owner
        .get(&house.path(&format!("/guests/{}", uuid::Uuid::now_v7())))
        .await
        .expect_error(404, "not_found");
    owner
        .get("/api/v1/restaurants/not-an-id/guests")
        .await
        .expect_error(404, "not_found");
    let reply = owner.delete(&house.path("/guests")).await;
    assert_eq!(reply.header("allow"), Some("GET, HEAD, POST"));
    reply.expect_error(405, "method_not_allowed");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_ids_are_taken_if_they_are_sane() {
    let app = TestApp::with(1, &[]).await;
    let client = app.client(0);
    let ask = |id: &'static str| {
        let client = client.clone();
        async move {
            let reply = client
                .send(Method::GET, "/nothing", None, &[("x-request-id", id)])
                .await;
            reply.expect_error(404, "not_found")["requestId"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    assert_eq!(ask("tablet-7.42").await, "tablet-7.42");
    assert_ne!(ask("no spaces, please").await, "no spaces, please");
    app.finish().await;
}

/// What no HTTP library would send.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_http() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        b"NONSENSE\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(app.worker(0).address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"),
            "{answer:?}"
        );
    }
    house.owner.get(&house.path("/guests")).await.expect(200);
    app.finish().await;
}

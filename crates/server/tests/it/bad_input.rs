//! Whatever comes, the answer is in the one envelope and says what is wrong.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::raw::Raw;
use crate::support::restaurant::{PASSWORD, day};
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
            json!({"guestName": "Ann", "partySize": 2, "dietaryRestrictions": vec!["x"; 31]}),
            "dietaryRestrictions",
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

/// The answer to what no application is asked about: the envelope all the same.
async fn refusal(raw: &mut Raw, status: u16, sent: &str) {
    let head = raw.head().await;
    assert_eq!(head.status, status, "{sent}: {head:?}");
    let id = head.header("x-request-id").unwrap().to_owned();
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("connection", "close"),
    ] {
        assert_eq!(head.header(name), Some(value), "{sent}: {head:?}");
    }
    let length: usize = head.header("content-length").unwrap().parse().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&raw.bytes(length).await).unwrap();
    assert_eq!(
        (&body["status"], &body["requestId"]),
        (&json!(status), &json!(id))
    );
    assert!(body["error"].as_str().unwrap().ends_with('.'), "{body}");
    assert!(body["code"].is_string(), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_answered_like_one() {
    let app = TestApp::with(1, &[]).await;
    let client = app.client(0);
    let large = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(400_000)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "a: b\r\n".repeat(2000)
    );
    for (sent, status) in [
        ("GET / HTTP/1.1\r\nBad Header x\r\n\r\n", 400),
        ("GET / x HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        ("NONSENSE\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", 400),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
            400,
        ),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: nonsense\r\n\r\n",
            400,
        ),
        (&large, 431),
        (&many, 431),
    ] {
        let mut raw = Raw::connect(&client).await;
        raw.say(sent).await;
        let shown: String = sent.chars().take(60).collect();
        refusal(&mut raw, status, &shown).await;
        assert_eq!(raw.rest().await, b"", "{shown}");
    }
    // What was asked before it is answered before it, on the same connection.
    let mut raw = Raw::connect(&client).await;
    let good = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    raw.say(format!("{good}{good}GET / x HTTP/1.1\r\n\r\n{good}"))
        .await;
    for _ in 0..2 {
        let head = raw.head().await;
        assert_eq!(head.status, 200);
        let length = head.header("content-length").unwrap().parse().unwrap();
        raw.bytes(length).await;
    }
    refusal(&mut raw, 400, "after others").await;
    assert_eq!(raw.rest().await, b"");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_show_what_they_are() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let hidden = [
        "\u{200b}",
        "\u{2800}\u{2800}",
        "A\u{200b}nn",
        "A\u{202e}nn",
        "\u{301}",
        "A\u{ad}nn",
        "A\u{feff}nn",
    ];
    let (guests, bookings, tables) = (
        house.path("/guests"),
        house.path("/reservations"),
        house.path("/tables"),
    );
    let categories = house.path("/menu/categories");
    for name in hidden {
        for (path, field, body) in [
            (
                &guests,
                "guestName",
                json!({"guestName": name, "partySize": 2}),
            ),
            (
                &guests,
                "tags[0]",
                json!({"guestName": "Ann", "partySize": 2, "tags": [name]}),
            ),
            (
                &tables,
                "tableNumber",
                json!({"tableNumber": name, "capacity": 2}),
            ),
            (&categories, "name", json!({"name": name})),
            (
                &bookings,
                "guestName",
                json!({"guestName": name, "partySize": 2, "reservationTime": format!("{}T18:00:00Z", day())}),
            ),
        ] {
            let reply = house.owner.post(path, body).await;
            assert_eq!(reply.fields(), [field], "{} {path}", name.escape_unicode());
        }
        let reply = house
            .owner
            .put(&house.path(""), json!({"name": name}))
            .await;
        assert_eq!(reply.fields(), ["name"], "{}", name.escape_unicode());
    }
    let note = json!({"guestName": "Ann", "partySize": 2, "notes": "by the \u{202e}window"});
    let reply = house.owner.post(&guests, note).await;
    assert_eq!(reply.fields(), ["notes"]);
    // What is copied out of a telephone's contacts, and what is written in other scripts.
    for (given, kept) in [
        ("\u{feff} Ann\u{200b}", "Ann"),
        ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ("👩\u{200d}👧 ❤\u{fe0f}", "👩\u{200d}👧 ❤\u{fe0f}"),
    ] {
        let body =
            json!({"guestName": given, "partySize": 2, "phone": "\u{202a}+49 30 1234567\u{202c}"});
        let guest = house.owner.post(&guests, body).await.expect(201);
        assert_eq!(
            (&guest["guestName"], &guest["phone"]),
            (&json!(kept), &json!("+49 30 1234567"))
        );
    }
    // A device's name is only shown: what is not seen is left away.
    let body = json!({"email": house.email, "password": PASSWORD, "deviceName": "Ki\u{200b}tch\u{202e}en"});
    app.client(0).post("/auth/login", body).await.expect(200);
    let devices = house.owner.get("/auth/sessions").await.expect(200);
    assert_eq!(devices[0]["deviceName"], "Kitchen");
    app.finish().await;
}

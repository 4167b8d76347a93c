//! Sockets, byte by byte, on everything that can carry them.

use std::time::Duration;

use serde_json::json;
use testkit::wait::{DEADLINE, until};

use crate::support::raw::{BINARY, CLOSE, PING, PONG, Raw, TEXT, frame, handshake, header};
use crate::support::{Client, Restaurant, Socket, TestApp};

const TRANSPORTS: [&str; 2] = ["bare", "actix-ws"];

async fn start(transport: &str) -> (TestApp, Restaurant) {
    let app = TestApp::with(1, &[("SOCKET_TRANSPORT", transport)]).await;
    let house = Restaurant::new(&app).await;
    (app, house)
}

/// Waits until this worker holds so many sessions.
async fn sessions(client: &Client, count: f64) {
    until("the sessions to end", DEADLINE, async || {
        let open = client.metric("qtable_sessions ").await;
        ((open - count).abs() < 0.1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_the_same_on_all_of_them() {
    for transport in TRANSPORTS {
        let (mut app, house) = start(transport).await;
        let protocols = format!("bearer, {}", house.owner.token.as_ref().unwrap());
        let path = format!("/realtime?restaurant_id={}", house.id);
        let headers = [("sec-websocket-protocol", protocols.as_str())];
        let mut tablet = Socket::open_at(&app.client(0), &path, &headers)
            .await
            .unwrap();
        house.guest("Ann", 2).await;
        assert_eq!(tablet.until(1).await.len(), 1);
        let epoch = tablet.connect["epoch"].as_str().unwrap();
        let query = format!("&since=0&epoch={epoch}");
        let mut late = Socket::open(&house.owner, &house.id, &query).await;
        assert_eq!(late.connect["resumed"], true);
        assert_eq!(late.frame().await["data"]["guestName"], "Ann");
        late.say(json!({"type": "request_full_sync"})).await;
        assert_eq!(late.frame_of("full_sync").await["seq"], 1);
        drop(late);
        sessions(&house.owner, 1.0).await;

        let counted =
            "qtable_http_requests_total{method=\"GET\",route=\"/api/v1/realtime\",status=\"101\"} ";
        let counted = house.owner.metric(counted).await;
        assert!((counted - 2.0).abs() < 0.1, "{transport}: {counted}");
        app.stop_worker(Duration::from_secs(3)).await;
        let closed = tablet.closed().await;
        assert_eq!(closed.code, 1001, "{transport}: {closed:?}");
        assert!(closed.reason.contains("reconnect_after_ms"), "{closed:?}");
        app.finish().await;
    }
}

const ASK: &str = r#"{"type":"ping"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_however_they_are_cut() {
    for transport in TRANSPORTS {
        let (app, house) = start(transport).await;
        // Together with the handshake.
        let mut raw = Raw::connect(&house.owner).await;
        let hello = handshake(&house.owner, &house.id);
        let ask = frame(TEXT, ASK);
        raw.say([hello.as_bytes(), &ask, &frame(PING, "still there?"), &ask].concat())
            .await;
        raw.begin().await;
        assert_eq!(raw.frame().await["type"], "pong", "{transport}");
        assert_eq!(raw.any_frame().await, (PONG, b"still there?".to_vec()));
        assert_eq!(raw.frame().await["type"], "pong", "{transport}");

        // In several frames, and something else in between.
        let (first, rest) = ASK.split_at(5);
        let (second, third) = rest.split_at(3);
        raw.say(frame(0x01, first)).await;
        raw.say([frame(0x00, second), frame(PING, "")].concat())
            .await;
        raw.say(frame(0x80, third)).await;
        assert_eq!(raw.any_frame().await, (PONG, Vec::new()), "{transport}");
        assert_eq!(raw.frame().await["type"], "pong", "{transport}");

        // In many segments, of which some have the end of one message and the beginning of the next.
        for chunk in [&ask[..], &ask, &ask].concat().chunks(7) {
            raw.say(chunk).await;
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            assert_eq!(raw.frame().await["type"], "pong", "{transport}");
        }

        // As large as may be, whole and in parts.
        let large = "x".repeat(16 * 1024);
        let (one, other) = large.split_at(9000);
        raw.say(frame(TEXT, &large)).await;
        assert_eq!(raw.frame().await["type"], "error", "{transport}");
        raw.say([frame(0x02, one), frame(0x80, other)].concat())
            .await;
        assert_eq!(raw.frame().await["type"], "error", "{transport}");
        raw.say(&ask).await;
        assert_eq!(raw.frame().await["type"], "pong", "{transport}");
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_protocol_ends_the_session() {
    let too_long = || frame(TEXT, "x".repeat(16 * 1024 + 1));
    let parts = || [frame(0x01, "x".repeat(9000)), frame(0x80, "x".repeat(9000))].concat();
    for transport in TRANSPORTS {
        let (app, house) = start(transport).await;
        for (what, bytes) in [
            ("unmasked", [&header(TEXT, 0, 2)[..], b"{}"].concat()),
            ("reserved bits", frame(TEXT | 0x40, "{}")),
            ("an opcode that does not exist", frame(0x83, "{}")),
            ("too long", too_long()),
            ("too long in parts", parts()),
            ("a ping that is too long", frame(PING, "x".repeat(126))),
            ("a ping in parts", frame(PING & 0x0f, "x")),
            ("the end of nothing", frame(0x80, "{}")),
            ("not UTF-8", frame(TEXT, [0xff, 0xfe])),
            ("not UTF-8 in parts", {
                [frame(0x01, [0xf0, 0x9f]), frame(0x80, "x")].concat()
            }),
        ] {
            let mut raw = Raw::open(&house.owner, &house.id).await;
            raw.say(bytes).await;
            assert_eq!(raw.closed().await, 4400, "{transport}: {what}");
        }
        sessions(&house.owner, 0.0).await;
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_claims_to_be_huge_is_not_waited_for() {
    let (app, house) = start("bare").await;
    let mut raw = Raw::open(&house.owner, &house.id).await;
    raw.say(header(BINARY, 0x80, 1 << 40)).await;
    raw.say("x".repeat(17 * 1024)).await;
    assert_eq!(raw.closed().await, 4400);
    assert_eq!(raw.rest().await, b"");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_let_go() {
    let (app, house) = start("bare").await;
    // With a word, which is answered; without; and without looking.
    let mut polite = Raw::open(&house.owner, &house.id).await;
    polite.say(frame(CLOSE, 1000_u16.to_be_bytes())).await;
    assert_eq!(polite.closed().await, 1000);
    assert_eq!(polite.rest().await, b"");
    let mut silent = Raw::open(&house.owner, &house.id).await;
    tokio::io::AsyncWriteExt::shutdown(&mut silent.stream)
        .await
        .unwrap();
    assert_eq!(silent.closed().await, 1000);
    assert_eq!(silent.rest().await, b"");
    drop(Raw::open(&house.owner, &house.id).await);
    sessions(&house.owner, 0.0).await;
    app.finish().await;
}

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Restaurant, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_carry_the_position() {
    let app = TestApp::with(1, &[("WS_HEARTBEAT_INTERVAL", "1")]).await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 0).await;
    assert_eq!(tablet.connect["heartbeat_seconds"], 1);
    house.guest("Ann", 2).await;
    tablet.until(1).await;
    let beat = tablet.frame_of("heartbeat").await;
    assert_eq!(beat["position"], 1);
    assert!(
        beat["timestamp"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_joins_the_stream_without_a_seam() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    house.guest("Before", 2).await;
    let mut tablet = house.socket(&app, 1).await;
    let writing = async {
        for n in 0..20 {
            house.guest(&format!("Party {n}"), 2).await;
        }
    };
    let asking = async {
        let mut position = 1;
        for _ in 0..5 {
            tablet.say(json!({"type": "request_full_sync"})).await;
            loop {
                let frame = tablet.frame().await;
                let seq = frame["seq"].as_i64().unwrap();
                if frame["type"] == "full_sync" {
                    assert!(seq >= position, "{seq} is before {position}");
                    assert_eq!(
                        frame["guests"].as_array().unwrap().len(),
                        usize::try_from(seq).unwrap()
                    );
                    position = seq;
                    break;
                }
                assert_eq!(seq, position + 1, "{frame}");
                position = seq;
            }
        }
        position
    };
    let ((), position) = tokio::join!(writing, asking);
    for seq in position + 1..=21 {
        assert_eq!(tablet.frame().await["seq"], seq);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_understood_is_said() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 0).await;
    for bad in [
        Message::text("not json"),
        Message::text("{}"),
        Message::text(r#"{"type":"launch"}"#),
        Message::text(r#"{"type":"auth"}"#),
        Message::binary(vec![0, 1, 2]),
    ] {
        tablet.send(bad).await;
        let error = tablet.frame().await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!("bad_request"))
        );
    }
    // The session stays.
    tablet.say(json!({"type": "ping"})).await;
    assert_eq!(tablet.frame().await["type"], "pong");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn abuse_ends_the_session() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let mut large = house.socket(&app, 0).await;
    large.send(Message::text("x".repeat(20_000))).await;
    assert_eq!(large.closed().await.code, 4400);
    let mut flood = house.socket(&app, 0).await;
    for _ in 0..100 {
        flood.say(json!({"type": "ping"})).await;
    }
    assert_eq!(flood.closed().await.code, 4429);
    app.finish().await;
}

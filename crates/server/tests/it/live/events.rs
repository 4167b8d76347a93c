//! Server-sent events.

use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::wait::{DEADLINE, until};

use crate::support::{Client, Restaurant, Socket, Stream, TestApp};

async fn refused(client: &Client, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    match Stream::open_at(client, path, headers).await {
        Ok(_) => panic!("{path} was let in"),
        Err(refused) => refused,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_frames_as_on_the_socket_and_a_way_back() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (here, there) = (house.owner.clone(), house.at(&app.client(1)));
    let mut socket = Socket::open(&there, &house.id, "").await;
    let path = format!("/realtime/events?restaurant_id={}", house.id);
    let headers = [("accept-encoding", "br, gzip")];
    let mut stream = Stream::open_at(&there, &path, &headers).await.unwrap();
    let header = |name| {
        stream
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("content-type"), Some("text/event-stream"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("x-accel-buffering"), Some("no"));
    assert_eq!(header("content-encoding"), None);
    assert!(stream.retry.is_some());
    let epoch = stream.connect["epoch"].as_str().unwrap().to_owned();
    assert_eq!(stream.last_id, Some(format!("{epoch}:0")));

    for n in 1..=3 {
        house.guest(&format!("Party {n}"), 2).await;
        assert_eq!(stream.next().await.unwrap(), socket.text().await);
        assert_eq!(stream.last_id, Some(format!("{epoch}:{n}")));
    }
    drop(stream);
    house.guest("Missed", 2).await;
    // From another worker; the header knows better than the address with which it once began.
    let query = format!("&since=0&epoch={epoch}");
    let mut stream = Stream::resume(&here, &house.id, &query, &format!("{epoch}:3")).await;
    assert_eq!(stream.connect["resumed"], true);
    assert_eq!(stream.last_id, Some(format!("{epoch}:3")));
    assert_eq!(stream.frame().await["data"]["guestName"], "Missed");
    // A position of another life of the log: told, and only then does the client stand elsewhere.
    let elsewhere = format!("{}:3", uuid::Uuid::now_v7());
    let mut stream = Stream::resume(&here, &house.id, "", &elsewhere).await;
    assert_eq!(
        (&stream.connect["resumed"], &stream.last_id),
        (&json!(false), &None)
    );
    assert_eq!(stream.frame().await["reason"], "epoch_changed");
    assert_eq!(stream.last_id, Some(format!("{epoch}:4")));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_good_until_the_token_would_expire() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let body = json!({});
    let ticket = house
        .owner
        .post("/realtime/tickets", body)
        .await
        .expect(201);
    let path = format!(
        "/realtime/events?restaurant_id={}&token={}",
        house.id,
        ticket["ticket"].as_str().unwrap()
    );
    let anybody = app.client(1);
    for minutes in [0, 7, 7] {
        app.time().advance(TimeDelta::minutes(minutes));
        Stream::open_at(&anybody, &path, &[]).await.unwrap();
    }
    app.time().advance(TimeDelta::minutes(2));
    assert_eq!(refused(&anybody, &path, &[]).await.0, 401);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_in_the_one_envelope() {
    let app = TestApp::with(1, &[("MAX_SESSIONS", "1")]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let path = |id: &str| format!("/realtime/events?restaurant_id={id}");
    let expect = async |client: &Client, path: &str, headers: &[(&str, &str)], status: u16| {
        let (found, body) = refused(client, path, headers).await;
        assert_eq!(
            (found, &body["status"]),
            (status, &json!(status)),
            "{path}: {body}"
        );
        body
    };
    expect(&app.client(0), &path(&house.id), &[], 401).await;
    expect(&house.owner, &path(&other.id), &[], 404).await;
    for bad in ["nonsense", "3", "3:4"] {
        let body = expect(
            &house.owner,
            &path(&house.id),
            &[("last-event-id", bad)],
            422,
        )
        .await;
        assert_eq!(body["fields"][0]["field"], "Last-Event-ID");
    }
    let _held = Stream::open(&house.owner, &house.id, "").await;
    expect(&house.owner, &path(&house.id), &[], 429).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_frame_says_why_it_ends() {
    let mut app = TestApp::with(2, &[("WS_HEARTBEAT_INTERVAL", "1")]).await;
    let house = Restaurant::new(&app).await;
    let mut expiring = Stream::open(&house.owner, &house.id, "").await;
    app.time().advance(TimeDelta::minutes(16));
    assert_eq!(expiring.frame_of("closing").await["code"], 4401);
    assert_eq!(expiring.next().await, None);

    let tokens = crate::support::restaurant::login(&app.client(1), &house.email).await;
    let client = app
        .client(1)
        .with_token(tokens["access_token"].as_str().unwrap());
    let mut stream = Stream::open(&client, &house.id, "").await;
    let end = tokio::spawn(async move { (stream.frame_of("closing").await, stream.retry) });
    app.stop_worker(Duration::from_secs(1)).await;
    let (closing, retry) = end.await.unwrap();
    assert_eq!(closing["code"], 1001);
    assert_eq!(closing["reconnect_after_ms"].as_u64(), retry);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_hangs_up_leaves_at_once() {
    let app = TestApp::with(1, &[("WS_HEARTBEAT_INTERVAL", "300")]).await;
    let house = Restaurant::new(&app).await;
    let stream = Stream::open(&house.owner, &house.id, "").await;
    assert!(app.client(0).metric("qtable_sessions ").await > 0.0);
    drop(stream);
    until("the session to end", DEADLINE, async || {
        (app.client(0).metric("qtable_sessions ").await == 0.0).then_some(())
    })
    .await;
    app.finish().await;
}

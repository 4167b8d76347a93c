//! Bad luck of a single session.

use serde_json::Value;
use testkit::proxy::Proxy;
use testkit::wait::{DEADLINE, until};

use crate::support::app::connect;
use crate::support::{Client, Restaurant, Socket, Stream, TestApp};

/// Waits until so many sessions of a worker have ended with a code.
async fn ended(client: &Client, code: u16, count: f64) {
    let name = format!("qtable_disconnects_total{{code=\"{code}\"}} ");
    until("the sessions to be closed", DEADLINE, async || {
        (client.metric(&name).await >= count).then_some(())
    })
    .await;
}

/// More than fits between a worker and a peer that does not read.
const EVENTS: i64 = 4000;

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_is_sent_away_and_gets_the_rest_later() {
    let app = TestApp::with(2, &[("WS_SEND_TIMEOUT", "1")]).await;
    let house = Restaurant::new(&app).await;
    let party = house.guest("Large", 2).await;
    let notes = serde_json::json!({ "notes": "x".repeat(2000) });
    house
        .owner
        .put(&house.path(&format!("/guests/{party}")), notes)
        .await
        .expect(200);
    // Many such events, as if somebody had been away for long.
    let sql = connect(app.database_url()).await;
    sql.batch_execute(&format!(
        "INSERT INTO events SELECT restaurant_id, n, kind, entity_id, audience, \
         regexp_replace(frame, '\"seq\":2,', '\"seq\":' || n || ','), public_frame, created_at \
         FROM events, generate_series(3, {EVENTS}) n WHERE seq = 2; \
         UPDATE log_heads SET last_seq = {EVENTS}"
    ))
    .await
    .unwrap();
    let epoch: String = sql
        .query_one("SELECT epoch::text FROM log_heads", &[])
        .await
        .unwrap()
        .get(0);

    let query = format!("&since=0&epoch={epoch}");
    let mut socket = Socket::open(&house.owner, &house.id, &query).await;
    let mut stream = Stream::open(&house.owner, &house.id, &query).await;
    ended(&app.client(0), 4503, 2.0).await;
    let sent = app.client(0).metric("qtable_frames_sent_total ").await;
    let all = 2 * u32::try_from(EVENTS).unwrap();
    assert!(
        sent < f64::from(all),
        "everything was taken from the log for nobody"
    );

    // What was on its way still comes; the rest comes from another worker.
    let mut seen = Vec::new();
    while let Ok(text) = socket.next().await {
        seen.push(seq(&text));
    }
    let rest = format!("&since={}&epoch={epoch}", seen.last().unwrap());
    let mut socket = Socket::open(&house.at(&app.client(1)), &house.id, &rest).await;
    while *seen.last().unwrap() < EVENTS {
        seen.push(seq(&socket.text().await));
    }
    assert_eq!(seen, (1..=EVENTS).collect::<Vec<_>>());

    let mut seen = Vec::new();
    while let Some(text) = stream.next().await {
        seen.extend(Some(seq(&text)).filter(|seq| *seq > 0));
    }
    let last_id = stream.last_id.unwrap();
    assert_eq!(last_id, format!("{epoch}:{}", seen.last().unwrap()));
    let mut stream = Stream::resume(&house.at(&app.client(1)), &house.id, "", &last_id).await;
    while *seen.last().unwrap() < EVENTS {
        seen.push(seq(&stream.next().await.unwrap()));
    }
    assert_eq!(seen, (1..=EVENTS).collect::<Vec<_>>());
    app.finish().await;
}

/// The number of an event; 0 for other frames.
fn seq(text: &str) -> i64 {
    let frame: Value = serde_json::from_str(text).unwrap();
    frame["seq"].as_i64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_vanishes_without_a_word_is_noticed() {
    let app = TestApp::with(1, &[("WS_HEARTBEAT_INTERVAL", "1")]).await;
    let house = Restaurant::new(&app).await;
    let proxy = Proxy::start(app.client(0).address).await;
    let mut tablet = house.socket(&app, 0).await;
    let client = house.owner.at_address(proxy.addr());
    let _phone = Socket::open(&client, &house.id, "").await;
    // Whoever reads answers pings by that, and stays.
    let reading = tokio::spawn(async move {
        tablet.until(1).await;
        tablet
    });
    proxy.freeze();
    ended(&app.client(0), 4408, 1.0).await;
    house.guest("Ann", 2).await;
    let _tablet = reading.await.unwrap();
    let left = app.client(0).metric("qtable_sessions ").await;
    assert!((left - 1.0).abs() < 0.1, "{left}");
    app.finish().await;
}

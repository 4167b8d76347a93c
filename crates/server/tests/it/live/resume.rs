use std::time::Duration;

use serde_json::json;

use crate::support::app::connect;
use crate::support::{Restaurant, Socket, TestApp};

fn since(seq: i64, epoch: &str) -> String {
    format!("&since={seq}&epoch={epoch}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_comes_first_from_any_worker() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 0).await;
    let epoch = tablet.connect["epoch"].as_str().unwrap().to_owned();
    house.guest("Seen", 2).await;
    tablet.until(1).await;
    drop(tablet);
    for name in ["Missed one", "Missed two", "Missed three"] {
        house.guest(name, 2).await;
    }
    for (worker, client) in [house.owner.clone(), house.owner.at(&app.client(1))]
        .iter()
        .enumerate()
    {
        let mut tablet = Socket::open(client, &house.id, &since(1, &epoch)).await;
        assert_eq!(
            (&tablet.connect["resumed"], &tablet.connect["seq"]),
            (&json!(true), &json!(4 + worker))
        );
        let missed = tablet.until(4).await;
        assert_eq!(
            missed
                .iter()
                .map(|frame| frame["seq"].as_i64().unwrap())
                .collect::<Vec<_>>(),
            [2, 3, 4]
        );
        house.guest("Live", 2).await;
        tablet.until(5 + i64::try_from(worker).unwrap()).await;
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_survives_the_restart_of_all_workers() {
    let mut app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 0).await;
    let epoch = tablet.connect["epoch"].as_str().unwrap().to_owned();
    house.guest("Seen", 2).await;
    tablet.until(1).await;
    house.guest("Missed", 2).await;
    app.stop_worker(Duration::ZERO).await;
    app.stop_worker(Duration::ZERO).await;
    let closed = tablet.closed().await;
    assert_eq!(closed.code, 1001, "{closed:?}");
    assert!(
        serde_json::from_str::<serde_json::Value>(&closed.reason).unwrap()["reconnect_after_ms"]
            .is_u64()
    );
    let worker = app.add_worker().await;
    let client = house.owner.at(&app.client(worker));
    let mut tablet = Socket::open(&client, &house.id, &since(1, &epoch)).await;
    assert_eq!(tablet.frame().await["data"]["guestName"], "Missed");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_resumed_is_said_and_the_stream_goes_on() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    house.guest("One", 2).await;
    let epoch = house.socket(&app, 0).await.connect["epoch"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = uuid::Uuid::now_v7().to_string();
    let cases = [
        (since(2, &epoch), "ahead_of_log"),
        (since(1, &other), "epoch_changed"),
        ("&since=1".to_owned(), "epoch_missing"),
    ];
    for (n, (query, reason)) in cases.iter().enumerate() {
        let head = 1 + i64::try_from(n).unwrap();
        let mut tablet = Socket::open(&house.owner.at(&app.client(1)), &house.id, query).await;
        assert_eq!(tablet.connect["resumed"], false, "{reason}");
        let resync = tablet.frame().await;
        assert_eq!(
            (&resync["type"], &resync["reason"]),
            (&json!("resync_required"), &json!(reason))
        );
        assert_eq!(
            (&resync["epoch"], &resync["seq"]),
            (&json!(epoch), &json!(head))
        );
        house.guest("Next", 2).await;
        assert_eq!(tablet.frame().await["seq"], head + 1);
        // Only the first case lies ahead by one; the next iterations' positions are behind it.
        if n == 0 {
            continue;
        }
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pruned_events_need_a_snapshot() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    for name in ["One", "Two", "Three"] {
        house.guest(name, 2).await;
    }
    let sql = connect(app.database_url()).await;
    sql.batch_execute("UPDATE log_heads SET pruned_seq = 2; DELETE FROM events WHERE seq <= 2")
        .await
        .unwrap();
    let first = house.socket(&app, 0).await;
    let epoch = first.connect["epoch"].as_str().unwrap();
    let mut tablet = Socket::open(&house.owner, &house.id, &since(1, epoch)).await;
    let resync = tablet.frame().await;
    assert_eq!(
        (&resync["reason"], &resync["seq"]),
        (&json!("pruned"), &json!(3))
    );
    let mut tablet = Socket::open(&house.owner, &house.id, &since(2, epoch)).await;
    assert_eq!(tablet.frame().await["data"]["guestName"], "Three");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewound_database_renews_the_epoch_of_open_sockets() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 1).await;
    house.guest("One", 2).await;
    tablet.until(1).await;
    // What the first connection to a restored database does.
    let sql = connect(app.database_url()).await;
    let epoch = uuid::Uuid::now_v7();
    sql.execute(
        "UPDATE log_heads SET epoch = $1::text::uuid",
        &[&epoch.to_string()],
    )
    .await
    .unwrap();
    let resync = tablet.frame().await;
    assert_eq!(
        (&resync["type"], &resync["reason"]),
        (&json!("resync_required"), &json!("epoch_changed"))
    );
    assert_eq!(resync["epoch"], epoch.to_string());
    house.guest("Two", 2).await;
    assert_eq!(tablet.frame().await["seq"], 2);
    app.finish().await;
}

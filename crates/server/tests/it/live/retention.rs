//! What is forgotten is said, and the story goes on without a hole.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Restaurant, Socket, TestApp};

/// Forgets everything that is in the logs, as the worker does when it has grown old.
async fn forget(app: &TestApp) {
    let db = &app.worker(0).state.db;
    loop {
        let gone = db
            .transaction("log.prune", async |conn, now| {
                domain::log::prune(conn, now + TimeDelta::hours(1), 2).await
            })
            .await
            .unwrap();
        if gone == 0 {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_hears_little_does_not_age() {
    let app = TestApp::with(2, &[("WS_HEARTBEAT_INTERVAL", "1")]).await;
    let house = Restaurant::new(&app).await;
    let types = "&types=table_created";
    let mut tablet = Socket::open(&house.owner, &house.id, types).await;
    let epoch = tablet.connect["epoch"].as_str().unwrap().to_owned();
    for name in ["One", "Two", "Three"] {
        house.guest(name, 2).await;
    }
    while tablet.any_frame().await["position"] != 3 {}
    drop(tablet);
    forget(&app).await;
    let query = |since: i64| format!("{types}&since={since}&epoch={epoch}");
    let there = house.at(&app.client(1));
    let mut tablet = Socket::open(&there, &house.id, &query(3)).await;
    assert_eq!(tablet.connect["resumed"], true);
    house.table("1", 2).await;
    assert_eq!(tablet.frame().await["seq"], 4);
    // One who did not take the position along has to be told.
    let mut tablet = Socket::open(&there, &house.id, &query(0)).await;
    assert_eq!(tablet.frame().await["reason"], "pruned");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resync_and_the_snapshot_after_it_are_one_story() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    for name in ["One", "Two", "Three", "Four", "Five"] {
        house.guest(name, 2).await;
    }
    let first = house.socket(&app, 0).await;
    let epoch = first.connect["epoch"].as_str().unwrap().to_owned();
    forget(&app).await;
    // The first worker still has it all in memory, and would tell; the other one cannot.

    let writing = async {
        for n in 0..20 {
            house.guest(&format!("Party {n}"), 2).await;
        }
    };
    let coming_back = async {
        let there = house.at(&app.client(1));
        let query = format!("&since=1&epoch={epoch}");
        for ask_on_the_socket in [false, true] {
            let mut tablet = Socket::open(&there, &house.id, &query).await;
            let resync = tablet.frame().await;
            assert_eq!(
                (&resync["type"], &resync["reason"], &resync["epoch"]),
                (&json!("resync_required"), &json!("pruned"), &json!(epoch))
            );
            let announced = resync["seq"].as_i64().unwrap();
            let mut at = announced;
            let snapshot = if ask_on_the_socket {
                tablet.say(json!({"type": "request_full_sync"})).await;
                loop {
                    let frame = tablet.frame().await;
                    if frame["type"] == "full_sync" {
                        break frame;
                    }
                    at += 1;
                    assert_eq!(frame["seq"], at, "a hole before the snapshot");
                }
            } else {
                there.get(&house.path("/sync/full")).await.expect(200)
            };
            let seq = snapshot["seq"].as_i64().unwrap();
            assert!(
                seq >= at.max(announced),
                "{seq} is older than what was announced"
            );
            // Exactly the parties that were made up to there.
            let guests = snapshot["guests"].as_array().unwrap().len();
            assert_eq!(guests, usize::try_from(seq).unwrap());
            if ask_on_the_socket {
                // What the snapshot contains is not sent again.
                at = seq;
            }
            while at < 25 {
                at += 1;
                assert_eq!(tablet.frame().await["seq"], at);
            }
        }
    };
    tokio::join!(writing, coming_back);
    drop(first);
    app.finish().await;
}

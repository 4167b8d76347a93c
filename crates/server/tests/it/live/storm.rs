//! The promise: each session sees every number once and in order, whatever comes and goes.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::support::app::connect;
use crate::support::{Client, Restaurant, Socket, TestApp};

const SESSIONS: usize = 50;
const CHANGES: usize = 1000;
const WRITERS: usize = 10;
const END: &str = "The last party";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_sessions_see_a_thousand_changes_once_and_in_order() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let clients = [house.owner.clone(), house.owner.at(&app.client(1))];
    let seats: Vec<_> = (0..SESSIONS)
        .map(|n| {
            let (clients, id) = (clients.clone(), house.id.clone());
            tokio::spawn(follow(StdRng::seed_from_u64(n as u64), n, clients, id))
        })
        .collect();

    let writers = (0..WRITERS).map(|n| {
        let (clients, path) = (clients.clone(), house.path("/guests"));
        tokio::spawn(write(n, clients, path))
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let end = json!({"guestName": END, "partySize": 2});
    house
        .owner
        .post(&house.path("/guests"), end)
        .await
        .expect(201);
    let sql = connect(app.database_url()).await;
    let log: HashMap<i64, String> = sql
        .query("SELECT seq, frame FROM events", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    // Who is removed makes others on the waiting list move up, which is told of, too.
    assert!(log.len() > CHANGES);
    for seat in seats {
        let seen = seat.await.unwrap();
        assert_eq!(seen.len(), log.len());
        for (expected, (seq, frame)) in (1..).zip(seen) {
            assert_eq!(seq, expected, "lost, doubled or out of order");
            assert_eq!(&frame, &log[&seq], "not the bytes of the log");
        }
    }
    app.finish().await;
}

/// Creates, changes and removes parties through both workers: `CHANGES / WRITERS` changes.
async fn write(n: usize, clients: [Client; 2], path: String) {
    for round in 0..CHANGES / WRITERS / 4 {
        let client = |step: usize| &clients[(n + round + step) % 2];
        let body = json!({"guestName": format!("Party {n}.{round}"), "partySize": 2});
        let party = client(0).post(&path, body).await.expect(201);
        let party = format!("{path}/{}", party["id"].as_str().unwrap());
        client(1)
            .put(&party, json!({"notes": "by the window"}))
            .await
            .expect(200);
        client(2)
            .put(&party, json!({"status": "notified"}))
            .await
            .expect(200);
        assert_eq!(client(3).delete(&party).await.status, 204);
    }
}

/// Follows from the beginning, leaves and comes back at random, to either worker. Ends when it has
/// seen the last event.
async fn follow(
    mut random: StdRng,
    n: usize,
    clients: [Client; 2],
    restaurant: String,
) -> Vec<(i64, String)> {
    let mut seen: Vec<(i64, String)> = Vec::new();
    let mut epoch: Option<String> = None;
    let mut worker = n % 2;
    loop {
        let position = seen.last().map_or(0, |(seq, _)| *seq);
        let query = epoch.as_ref().map_or(String::new(), |epoch| {
            format!("&since={position}&epoch={epoch}")
        });
        let mut socket = Socket::open(&clients[worker], &restaurant, &query).await;
        let known = socket.connect["epoch"].as_str().unwrap().to_owned();
        if epoch.replace(known).is_none() && socket.connect["seq"] != 0 {
            // Came late: begins again from the beginning, which the log still has.
            continue;
        }
        let leave_after = random.random_range(1..200);
        for _ in 0..leave_after {
            let text = socket.text().await;
            let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_ne!(frame["type"], "resync_required", "{frame}");
            if frame["type"] != "heartbeat" {
                seen.push((frame["seq"].as_i64().unwrap(), text));
            }
            if frame["data"]["guestName"] == END {
                return seen;
            }
        }
        drop(socket);
        worker = random.random_range(0..2);
    }
}

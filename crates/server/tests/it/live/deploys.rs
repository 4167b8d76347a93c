//! Workers that come and go, as at every deploy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::wait::{DEADLINE, until};

use crate::support::app::connect;
use crate::support::{Client, Restaurant, Socket, Stream, TestApp, guest};

fn reconnect_after(reason: &str) -> u64 {
    let reason: Value = serde_json::from_str(reason).unwrap();
    reason["reconnect_after_ms"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_go_lets_everything_end() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (mut process, client) = app.process(&[("SHUTDOWN_GRACE_SECONDS", "6")]).await;
    let client = house.at(&client);
    let party = house.guest("Ann", 2).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(Socket::open(&client, &house.id, "").await);
    }
    let mut stream = Stream::open(&client, &house.id, "").await;
    // A request that waits for a lock when the signal comes.
    let sql = connect(app.database_url()).await;
    sql.batch_execute("BEGIN; SELECT FROM guests FOR UPDATE")
        .await
        .unwrap();
    let path = house.path(&format!("/guests/{party}"));
    let writing = tokio::spawn({
        let client = client.clone();
        async move {
            client
                .put(&path, json!({"notes": "by the window"}))
                .await
                .status
        }
    });
    let in_flight = "qtable_http_requests_in_flight ";
    until("the write to wait", DEADLINE, async || {
        (client.metric(in_flight).await >= 2.0).then_some(())
    })
    .await;

    process.terminate();
    until("the worker to say so", DEADLINE, async || {
        (client.get("/health/ready").await.status == 503).then_some(())
    })
    .await;
    let path = format!("/realtime?restaurant_id={}", house.id);
    let bearer = format!("Bearer {}", client.token.as_ref().unwrap());
    let refused = Socket::open_at(&client, &path, &[("authorization", &bearer)]).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(503));
    sql.batch_execute("COMMIT").await.unwrap();
    assert_eq!(writing.await.unwrap(), 200);
    for socket in &mut sockets {
        let closed = socket.closed().await;
        assert_eq!(closed.code, 1001);
        reconnect_after(&closed.reason);
    }
    assert_eq!(stream.frame_of("closing").await["code"], 1001);
    assert!(process.wait(DEADLINE).await.success());
    app.take_faults();
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_kills_soon_is_no_surprise() {
    let app = TestApp::with(0, &[]).await;
    let (mut process, client) = app.process(&[("SHUTDOWN_GRACE_SECONDS", "2")]).await;
    let house = Restaurant::of(&client).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(Socket::open(&house.owner, &house.id, "").await);
    }
    process.terminate();
    let mut returns = Vec::new();
    for socket in &mut sockets {
        let closed = socket.closed().await;
        assert_eq!(closed.code, 1001);
        returns.push(reconnect_after(&closed.reason));
    }
    returns.sort_unstable();
    returns.dedup();
    assert!(
        returns.len() > 10,
        "they would all come back at once: {returns:?}"
    );
    assert!(process.wait(DEADLINE).await.success());
    app.finish().await;
}

/// Where the workers are now.
type Addresses = Arc<Mutex<Vec<SocketAddr>>>;

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_loses_nothing() {
    let mut app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let addresses = |app: &TestApp| vec![app.client(0).address, app.client(1).address];
    let known: Addresses = Arc::new(Mutex::new(addresses(&app)));
    let is_over = Arc::new(AtomicBool::new(false));
    let first = house.socket(&app, 0).await;
    let epoch = first.connect["epoch"].as_str().unwrap().to_owned();
    drop(first);

    let followers: Vec<_> = (0..12)
        .map(|n| {
            let (owner, id, known) = (house.owner.clone(), house.id.clone(), Arc::clone(&known));
            tokio::spawn(follow(n, owner, id, epoch.clone(), known))
        })
        .collect();
    let writers: Vec<_> = (0..3)
        .map(|n| {
            let (owner, path) = (house.owner.clone(), house.path("/guests"));
            let (known, is_over) = (Arc::clone(&known), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut written = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let client = pick(&owner, &known, n + written);
                    let body = guest(&format!("Party {n}.{written}"), 2);
                    // One that is cut off may have been written or not; the log knows.
                    client.try_post(&path, &body).await;
                    written += 1;
                }
            })
        })
        .collect();
    for number in [0, 1] {
        app.restart_worker(number, Duration::from_secs(1)).await;
        *known.lock() = addresses(&app);
        // It takes part before the next one goes.
        let (client, path) = (house.at(&app.client(number)), house.path("/guests"));
        client.post(&path, guest("Between", 2)).await.expect(201);
    }
    is_over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    house
        .at(&app.client(0))
        .post(&house.path("/guests"), guest(LAST, 2))
        .await
        .expect(201);
    let sql = connect(app.database_url()).await;
    let head: i64 = sql
        .query_one("SELECT last_seq FROM log_heads", &[])
        .await
        .unwrap()
        .get(0);
    for follower in followers {
        let seen = follower.await.unwrap();
        assert_eq!(
            seen,
            (1..=head).collect::<Vec<_>>(),
            "lost, doubled or out of order"
        );
    }
    app.finish().await;
}

/// The name of the party after which nothing comes.
const LAST: &str = "The last one";

fn pick(client: &Client, known: &Addresses, n: usize) -> Client {
    let known = known.lock();
    client.at_address(known[n % known.len()])
}

/// Follows until the last event, from worker to worker. Returns the numbers that it saw.
async fn follow(
    n: usize,
    client: Client,
    restaurant: String,
    epoch: String,
    known: Addresses,
) -> Vec<i64> {
    let mut seen: Vec<i64> = Vec::new();
    for attempt in n.. {
        let position = seen.last().copied().unwrap_or(0);
        let query = format!("&since={position}&epoch={epoch}");
        let worker = pick(&client, &known, attempt);
        let Some(mut socket) = Socket::try_open(&worker, &restaurant, &query).await else {
            continue;
        };
        while let Ok(text) = socket.next().await {
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert_ne!(frame["type"], "resync_required", "{frame}");
            if let Some(seq) = frame["seq"].as_i64() {
                seen.push(seq);
            }
            if frame["data"]["guestName"] == LAST {
                return seen;
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_snapshots_is_one_read_at_a_time() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    house.guest("Ann", 2).await;
    let mut sql = connect(app.database_url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE guests IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let asking: Vec<_> = (0..40)
        .map(|_| {
            let (owner, path) = (house.owner.clone(), house.path("/sync/full"));
            tokio::spawn(async move { owner.get(&path).await.expect(200) })
        })
        .collect();
    until("all of them to wait", DEADLINE, async || {
        let in_flight = "qtable_http_requests_in_flight ";
        (app.client(0).metric(in_flight).await >= 41.0).then_some(())
    })
    .await;
    lock.commit().await.unwrap();
    for answer in asking {
        assert_eq!(answer.await.unwrap()["guests"][0]["guestName"], "Ann");
    }
    // One that had begun, and one for all who came while it was under way.
    let reads = "qtable_database_operation_duration_seconds_count{operation=\"floor.snapshot\"} ";
    let reads = app.client(0).metric(reads).await;
    assert!((reads - 2.0).abs() < 0.1, "{reads} reads");
    app.finish().await;
}

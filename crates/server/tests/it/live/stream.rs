use serde_json::json;

use crate::support::app::connect;
use crate::support::{Restaurant, TestApp, guest};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_on_every_tablet_of_every_worker() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut tablets = vec![house.socket(&app, 0).await, house.socket(&app, 1).await];
    assert_eq!(
        (&tablets[0].connect["seq"], &tablets[0].connect["resumed"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(tablets[1].connect["worker_id"], "w1");
    let table = house.table("12", 4).await;
    let party = house.guest("John Doe", 4).await;
    let path = house.path(&format!("/guests/{party}"));
    let other = house.owner.at(&app.client(1));
    other
        .put(&path, json!({"tableId": table}))
        .await
        .expect(200);

    let sql = connect(app.database_url()).await;
    let log: Vec<String> = sql
        .query("SELECT frame FROM events ORDER BY seq", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(log.len(), 4);
    for tablet in &mut tablets {
        for expected in &log {
            // The very bytes.
            assert_eq!(&tablet.text().await, expected);
        }
    }
    let kinds: Vec<(String, String)> = log
        .iter()
        .map(|frame| serde_json::from_str::<serde_json::Value>(frame).unwrap())
        .map(|frame| {
            (
                frame["type"].as_str().unwrap().into(),
                frame["action"].as_str().unwrap().into(),
            )
        })
        .collect();
    let expected = [
        ("table_created", "created"),
        ("guest_created", "created"),
        ("guest_updated", "status_changed"),
        ("table_updated", "status_changed"),
    ];
    assert_eq!(
        kinds,
        expected.map(|(kind, action)| (kind.to_owned(), action.to_owned()))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restaurants_do_not_hear_each_other() {
    let app = TestApp::start().await;
    let (one, two) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let mut tablet = one.socket(&app, 1).await;
    two.guest("Theirs", 2).await;
    one.guest("Ours", 2).await;
    let frame = tablet.frame().await;
    assert_eq!(
        (&frame["restaurant_id"], &frame["data"]["guestName"]),
        (&json!(one.id), &json!("Ours"))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_kinds_that_were_asked_for() {
    let app = TestApp::with(2, &[("WS_HEARTBEAT_INTERVAL", "1")]).await;
    let house = Restaurant::new(&app).await;
    let mut tablet = crate::support::Socket::open(
        &house.owner.at(&app.client(1)),
        &house.id,
        "&types=table_created,table_updated",
    )
    .await;
    house.guest("Ann", 2).await;
    house.table("1", 2).await;
    house.guest("Bob", 2).await;
    let frame = tablet.frame().await;
    assert_eq!(
        (&frame["type"], &frame["seq"]),
        (&json!("table_created"), &json!(2))
    );
    // The position goes on, although nothing was sent.
    while tablet.frame_of("heartbeat").await["position"] != 3 {}
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_worker_without_redis_is_enough() {
    let app = TestApp::with(1, &[("REDIS_URL", "")]).await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 0).await;
    house.guest("Ann", 2).await;
    assert_eq!(tablet.frame().await["type"], "guest_created");
    let health = app.client(0).get("/health").await.expect(200);
    assert_eq!(
        (&health["status"], &health["redis"]["status"]),
        (&json!("healthy"), &json!("off"))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_delivery_go_on_without_redis() {
    let proxy = testkit::proxy::Proxy::for_url(&testkit::redis::url()).await;
    let app = TestApp::with(2, &[("REDIS_URL", proxy.url())]).await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 1).await;
    house.guest("Before", 2).await;
    assert_eq!(tablet.frame().await["data"]["guestName"], "Before");
    proxy.refuse();
    for name in ["While", "it is", "away"] {
        house.guest(name, 2).await;
        assert_eq!(tablet.frame().await["data"]["guestName"], name);
    }
    testkit::wait::until(
        "the worker to notice",
        testkit::wait::DEADLINE,
        async || {
            let health = app.client(1).get("/health").await.expect(200);
            (health["status"] == "degraded" && health["redis"]["status"] == "down").then_some(())
        },
    )
    .await;
    proxy.heal();
    testkit::wait::until("the bus to be back", testkit::wait::DEADLINE, async || {
        (app.client(1).get("/health").await.expect(200)["status"] == "healthy").then_some(())
    })
    .await;
    let reply = house
        .owner
        .post(&house.path("/guests"), guest("After", 2))
        .await;
    reply.expect(201);
    assert_eq!(tablet.frame().await["data"]["guestName"], "After");
    app.finish().await;
}

//! What operators see: health, metrics, documents.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use server::Need;
use server::routes;
use testkit::proxy::Proxy;
use testkit::wait::{DEADLINE, until};

use crate::support::app::database;
use crate::support::{Restaurant, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_its_database_says_so_and_comes_up_with_it() {
    let database = database().await;
    let proxy = Proxy::for_url(&database.url).await;
    proxy.refuse();
    let url = proxy.url();
    let mut app = TestApp::on(database, 0, &[("DATABASE_URL", url)]).await;
    let number = app.add_worker_unready();
    let client = app.client(number);
    let health = client.get("/health").await.expect(503);
    assert_eq!(
        (&health["status"], &health["database"]["status"]),
        (&json!("unhealthy"), &json!("down"))
    );
    client.get("/health/live").await.expect(200);
    client.get("/health/ready").await.expect(503);
    let body = json!({"email": "a@example.com", "password": "password"});
    let reply = client.post("/auth/login", body).await;
    assert!(reply.header("retry-after").is_some());
    reply.expect_error(503, "unavailable");

    proxy.heal();
    until("the worker to be ready", DEADLINE, async || {
        (client.get("/health/ready").await.status == 200).then_some(())
    })
    .await;
    app.take_faults();
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 0).await;

    // Away later: the socket stays, writes are refused, and it all goes on.
    proxy.refuse();
    house
        .owner
        .post(
            &house.path("/guests"),
            json!({"guestName": "A", "partySize": 2}),
        )
        .await
        .expect_error(503, "unavailable");
    proxy.heal();
    until("a write to succeed", DEADLINE, async || {
        let body = json!({"guestName": "B", "partySize": 2});
        (house.owner.post(&house.path("/guests"), body).await.status == 201).then_some(())
    })
    .await;
    app.take_faults();
    assert_eq!(tablet.frame().await["data"]["guestName"], "B");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_redis_at_start_works_and_says_so() {
    let proxy = Proxy::for_url(&testkit::redis::url()).await;
    proxy.refuse();
    let app = TestApp::with(2, &[("REDIS_URL", proxy.url())]).await;
    let health = app.client(0).get("/health").await.expect(200);
    assert_eq!(
        (&health["status"], &health["redis"]["status"]),
        (&json!("degraded"), &json!("down"))
    );
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 1).await;
    house.guest("Ann", 2).await;
    assert_eq!(tablet.frame().await["data"]["guestName"], "Ann");
    proxy.heal();
    until("the bus to be up", DEADLINE, async || {
        (app.client(1).get("/health").await.expect(200)["status"] == "healthy").then_some(())
    })
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_worker_refuses_new_sockets_and_says_so() {
    let mut app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let client = house.owner.at(&app.client(1));
    let mut tablet = crate::support::Socket::open(&client, &house.id, "").await;
    let address = app.worker(1).address;
    let closed = tokio::spawn(async move { tablet.closed().await });
    app.stop_worker(Duration::from_secs(1)).await;
    let closed = closed.await.unwrap();
    assert_eq!(closed.code, 1001);
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "still listening"
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_happened() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 1).await;
    house.guest("Ann", 2).await;
    tablet.until(1).await;
    drop(tablet);
    let page = |worker: usize| {
        let client = app.client(worker);
        async move { client.get("/metrics").await.text }
    };
    let first = page(0).await;
    for line in [
        "qtable_events_committed_total{kind=\"guest_created\"} 1",
        "qtable_bus_published_total 1",
        "qtable_bus_up 1",
        "qtable_bus_kind{kind=\"redis\"} 1",
        "qtable_bus_server_up{server=\"0\"} 1",
        "qtable_bus_server_silent_workers{server=\"0\"} 0",
        "qtable_bus_server_last_beat_seconds{server=\"0\"} 0.",
        "qtable_bus_server_connects_total{server=\"0\"} 1",
        "route=\"/api/v1/restaurants/{rid}/guests\"",
    ] {
        assert!(first.contains(line), "{line} is not in\n{first}");
    }
    until("the other worker to have counted", DEADLINE, async || {
        let page = page(1).await;
        let expected = [
            "qtable_frames_sent_total 1",
            "qtable_disconnects_total{code=\"1000\"} 1",
            "qtable_sessions 0",
        ];
        expected
            .iter()
            .all(|line| page.contains(line))
            .then_some(())
    })
    .await;
    assert!(
        !first.contains("Ann") && !first.contains(&house.id),
        "no names, no ids"
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_in_production_need_a_token() {
    let production = [
        ("ENVIRONMENT", "production"),
        ("PUBLIC_URL", "https://qtable.example"),
        ("BCRYPT_COST", ""),
        ("SECRET_KEY", "k8Jq2Vn5Xz9Lw3Rt7Yp1Bm4Cd6Fg0Hs8"),
    ];
    let app = TestApp::with(1, &production).await;
    app.client(0)
        .get("/metrics")
        .await
        .expect_error(404, "not_found");
    app.finish().await;
    let with_token = [
        production.as_slice(),
        &[("METRICS_TOKEN", "a-token-for-prometheus")],
    ]
    .concat();
    let app = TestApp::with(1, &with_token).await;
    app.client(0)
        .get("/metrics")
        .await
        .expect_error(401, "unauthenticated");
    let client = app.client(0).with_token("a-token-for-prometheus");
    assert_eq!(client.get("/metrics").await.status, 200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_lists_every_route() {
    let app = TestApp::with(1, &[]).await;
    let document = app.client(0).get("/openapi.json").await.expect(200);
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            documented.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let routed: BTreeSet<String> = routes()
        .list()
        .map(|row| format!("{} {}", row.method, row.canonical))
        .collect();
    assert_eq!(documented, routed);
    for row in routes().list() {
        let (method, path, need) = (&row.method, row.canonical, row.need);
        let item = &document["paths"][path];
        let operation = &item[method.as_str().to_lowercase()];
        assert!(
            operation["summary"]
                .as_str()
                .or(operation["description"].as_str())
                .is_some(),
            "{path}"
        );
        assert_eq!(
            operation["security"].is_array(),
            need != Need::Public,
            "{method} {path}"
        );
        if need != Need::Public {
            let envelope =
                &operation["responses"]["401"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(
                envelope, "#/components/schemas/ErrorBody",
                "{method} {path}"
            );
        }
    }
    let envelope = &document["components"]["schemas"]["ErrorBody"];
    let conflict = &envelope["properties"]["conflict"]["oneOf"];
    assert_eq!(
        conflict[1]["$ref"], "#/components/schemas/TableConflict",
        "{envelope}"
    );
    assert!(document["components"]["schemas"]["TableConflict"].is_object());
    let snapshot = &document["components"]["schemas"]["Snapshot"];
    let fields = [
        "restaurant",
        "guests",
        "reservations",
        "tables",
        "lastUpdated",
        "epoch",
        "seq",
    ];
    let described: BTreeSet<&str> = snapshot["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(described, BTreeSet::from(fields));
    let required = fields.into_iter().filter(|field| *field != "reservations");
    assert_eq!(snapshot["required"], json!(required.collect::<Vec<_>>()));
    // What generators of clients trip over: names that two operations have, answers that say
    // nothing, words that are spelled otherwise than on the wire.
    let operations = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values());
    let mut names = BTreeSet::new();
    for operation in operations {
        assert!(
            names.insert(operation["operationId"].as_str().unwrap()),
            "{operation}"
        );
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert_ne!(
                answer["description"], "",
                "{status} of {}",
                operation["operationId"]
            );
        }
    }
    let words = &document["components"]["schemas"]["GuestStatus"]["enum"];
    assert_eq!(
        words,
        &json!([
            "waiting",
            "notified",
            "seated",
            "completed",
            "cancelled",
            "no_show"
        ])
    );
    // No reference leads nowhere.
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name] != Value::Null,
            "{name} is missing"
        );
    }
    let page = app.client(0).get("/docs/").await;
    assert!(
        page.status == 200 && page.text.contains("swagger-ui"),
        "{page:?}"
    );
    // Its scripts and styles are files of this server's, and nothing else runs in it.
    let policy = page.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for tag in page.text.split("<script").skip(1) {
        let (attributes, rest) = tag.split_once('>').unwrap();
        assert!(attributes.contains("src=\"./"), "{tag}");
        assert_eq!(rest.split("</script>").next().unwrap().trim(), "");
    }
    assert!(!page.text.contains("<style") && !page.text.contains("style="));
    app.finish().await;
}

//! Rate limits: exact at the door, fair inside, and no reason to stop.

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::Method;
use serde_json::json;
use testkit::proxy::Proxy;
use testkit::wait::{DEADLINE, until};

use crate::support::restaurant::{PASSWORD, login};
use crate::support::{Client, Reply, Restaurant, Socket, TestApp};

const ON: (&str, &str) = ("RATE_LIMITS", "on");

/// Logs in from an address of which a proxy tells.
async fn log_in(client: &Client, email: &str, password: &str, address: &str) -> Reply {
    let body = json!({"email": email, "password": password});
    let headers = [("x-forwarded-for", address)];
    let login = client.send(Method::POST, "/api/v1/auth/login", Some(body), &headers);
    login.await
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies
        .iter()
        .filter(|reply| reply.status == status)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_two_workers_are_counted_together() {
    let app = TestApp::with(2, &[ON, ("TRUSTED_PROXIES", "private")]).await;
    let house = Restaurant::new(&app).await;
    let workers = [app.client(0), app.client(1)];
    let guess = |number: usize| {
        let client = &workers[number % 2];
        log_in(client, &house.email, "wrong password", "192.0.2.7")
    };
    let replies = join_all((0..30).map(guess)).await;
    assert_eq!((count(&replies, 401), count(&replies, 429)), (10, 20));
    for reply in replies.into_iter().filter(|reply| reply.status == 429) {
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=90).contains(&wait), "{wait}");
        assert_eq!(reply.header("ratelimit-limit"), Some("10"));
        assert_eq!(reply.header("ratelimit-remaining"), Some("0"));
        reply.expect_error(429, "too_many");
    }
    // Not even the right password helps from there; elsewhere nobody noticed.
    for (address, status) in [("192.0.2.7", 429), ("192.0.2.8", 200)] {
        let reply = log_in(&workers[1], &house.email, PASSWORD, address).await;
        assert_eq!(reply.status, status, "{address}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_strangers_does_not_lock_the_owner_out() {
    let vars = [ON, ("TRUSTED_PROXIES", "private")];
    let app = TestApp::with(2, &vars).await;
    let house = Restaurant::new(&app).await;
    let workers = [app.client(0), app.client(1)];
    let home = "2001:db8:1::1";
    let reply = log_in(&workers[0], &house.email, PASSWORD, home).await;
    reply.expect(200);
    let crowd = (0..104).map(|number| {
        let address = format!("198.51.100.{number}");
        let (client, email) = (&workers[number % 2], &house.email);
        async move { log_in(client, email, "wrong password", &address).await }
    });
    // Eight at a time: on a busy machine more of them would outwait Redis.
    let replies: Vec<Reply> = stream::iter(crowd).buffer_unordered(8).collect().await;
    assert_eq!((count(&replies, 401), count(&replies, 429)), (100, 4));
    // What was right a hundred times over is not counted: the network is known, at both workers.
    for worker in &workers {
        for _ in 0..12 {
            let reply = log_in(worker, &house.email, PASSWORD, "2001:db8:1::2").await;
            reply.expect(200);
        }
    }
    let new = log_in(&workers[0], &house.email, PASSWORD, "203.0.113.9").await;
    new.expect_error(429, "too_many");
    // Whoever is logged in goes on.
    house.owner.get("/api/v1/auth/me").await.expect(200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_restaurants_are_counted_at_all_workers_at_once() {
    let app = TestApp::with(2, &[ON, ("RATE_LIMIT_REGISTRATIONS", "5")]).await;
    let workers = [app.client(0), app.client(1)];
    let register = |number: usize| {
        let email = format!("owner-{number}@example.com");
        let body = json!({"restaurantName": "One", "email": email, "password": PASSWORD, "firstName": "A", "lastName": "B"});
        workers[number % 2].post("/auth/register", body)
    };
    let replies = join_all((0..12).map(register)).await;
    assert_eq!((count(&replies, 201), count(&replies, 429)), (5, 7));
    app.finish().await;
}

/// A login waits until the handler knows who comes; a link for a password has no such handler, and
/// a hash costs the same.
#[tokio::test(flavor = "multi_thread")]
async fn links_for_passwords_are_refused_where_logins_are() {
    let app = TestApp::with(1, &[ON, ("RATE_LIMIT_LOGINS", "3")]).await;
    let client = app.client(0);
    let body = json!({"secret": "none", "newPassword": "long enough"});
    for status in [404, 404, 404, 429, 429] {
        let reply = client.post("/auth/password/reset", body.clone()).await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_does_not_wait_for_a_redis_that_is_away() {
    let proxy = Proxy::for_url(&testkit::redis::url()).await;
    let vars = [
        ON,
        ("REDIS_URL", proxy.url()),
        ("TRUSTED_PROXIES", "private"),
    ];
    let app = TestApp::with(1, &vars).await;
    let house = Restaurant::new(&app).await;
    let metric = async |name: &str| {
        let page = app.client(0).get("/metrics").await.text;
        let line = page.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(metric("qtable_rate_limit_shared").await, "1");
    for away in [Proxy::refuse, Proxy::freeze] {
        away(&proxy);
        login(&app.client(0), &house.email).await;
        assert_eq!(metric("qtable_rate_limit_shared").await, "0");
        proxy.heal();
        until("the workers to count together", DEADLINE, async || {
            house.owner.get("/api/v1/auth/me").await.expect(200);
            (metric("qtable_rate_limit_shared").await == "1").then_some(())
        })
        .await;
    }
    assert_ne!(metric("qtable_rate_limit_fallbacks_total").await, "0");
    // The limit is there without it.
    proxy.refuse();
    let guess = |_| log_in(&house.owner, &house.email, "wrong password", "192.0.2.7");
    let replies = join_all((0..15).map(guess)).await;
    assert_eq!((count(&replies, 401), count(&replies, 429)), (10, 5));
    let refused = metric("qtable_rate_limited_total{tier=\"failures\"}").await;
    assert_eq!(refused, "5");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_here_is_missing_there() {
    let app = TestApp::with(2, &[ON, ("RATE_LIMIT_READS", "2")]).await;
    let house = Restaurant::new(&app).await;
    let staff = house.member(&app, "staff").await;
    let read =
        async |worker: usize, client: &Client| client.at(&app.client(worker)).get("/auth/me").await;
    let compare = async || {
        // The first one, too, is to hear of what the second one says.
        for worker in [0, 1, 0] {
            app.worker(worker).state.limits.compare().await;
        }
    };
    let first = read(0, &house.owner).await;
    let left = ["limit", "remaining", "reset"].map(|name| {
        let value = first.header(&format!("ratelimit-{name}")).unwrap();
        value.parse::<u64>().unwrap()
    });
    assert_eq!(left, [2, 1, 30]);
    read(0, &house.owner).await.expect(200);
    let refused = read(0, &house.owner).await;
    refused.expect_error(429, "too_many");
    // Until they compare, the other worker does not know; what it let through is owed then.
    read(1, &house.owner).await.expect(200);
    compare().await;
    for worker in [0, 1] {
        let refused = read(worker, &house.owner).await;
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((31..=60).contains(&wait), "{wait}");
        refused.expect_error(429, "too_many");
    }
    // A colleague at the same address has an own limit, and writing is not reading.
    read(0, &staff).await.expect(200);
    house.guest("Ann", 2).await;
    // The address has one, too: five accounts' worth.
    let stranger = app.client(0);
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(read(0, &stranger).await.status);
    }
    assert_eq!(statuses.first(), Some(&401));
    assert_eq!(statuses.last(), Some(&429));
    for path in [
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/openapi.json",
    ] {
        let reply = stranger.get(path).await;
        assert_eq!(reply.header("ratelimit-limit"), None, "{path}");
        assert_eq!(reply.status, 200, "{path}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restaurant_comes_back_at_once_and_a_loop_does_not() {
    let usual = TestApp::with(2, &[ON]).await;
    let house = Restaurant::new(&usual).await;
    let devices = (0..30).map(|number| {
        let (usual, house) = (&usual, &house);
        async move {
            let socket = house.socket(usual, number % 2).await;
            house.owner.get(&house.path("/sync/full")).await.expect(200);
            socket
        }
    });
    join_all(devices).await;
    usual.finish().await;

    let tight = TestApp::with(1, &[ON, ("RATE_LIMIT_SOCKETS", "2")]).await;
    let house = Restaurant::new(&tight).await;
    let bearer = format!("Bearer {}", house.owner.token.as_ref().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/realtime?restaurant_id={}", house.id);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let opened = Socket::open_at(&house.owner, &path, &headers).await;
        statuses.push(opened.map_or_else(|(status, _)| status, |_| 101));
    }
    assert_eq!(statuses, [101, 101, 429, 429]);
    tight.finish().await;
}

/// Strangers who watch open sockets as others do: five accounts' worth of an address, under whatever
/// mount, and without taking anything of what may be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_a_socket_on_every_path() {
    let app = TestApp::with(1, &[ON, ("RATE_LIMIT_SOCKETS", "1")]).await;
    let house = Restaurant::new(&app).await;
    let anybody = app.client(0);
    let watch = |mount: &str| format!("{mount}/ws?restaurant_id={}", house.id);
    for mount in ["", "/api", "/api/v1", "", "/api"] {
        Socket::open_at(&anybody, &watch(mount), &[]).await.unwrap();
    }
    for mount in ["", "/api", "/api/v1"] {
        let (status, body) = Socket::open_at(&anybody, &watch(mount), &[])
            .await
            .err()
            .unwrap();
        assert_eq!(
            (status, &body["code"]),
            (429, &json!("too_many")),
            "{mount}"
        );
        let events = format!("{mount}/realtime/events?restaurant_id={}", house.id);
        house.owner.get(&events).await.expect_error(429, "too_many");
    }
    house.owner.get(&house.path("/guests")).await.expect(200);
    app.finish().await;
}

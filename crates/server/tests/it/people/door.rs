//! The door: who is kept out by what others do, and who is not.

use reqwest::Method;
use serde_json::{Value, json};
use server::seed_demo;
use testkit::wait::{DEADLINE, until};

use crate::support::app::{check_config, connect};
use crate::support::restaurant::{PASSWORD, login};
use crate::support::{Client, Reply, Restaurant, Socket, TestApp};

const PROXIES: (&str, &str) = ("TRUSTED_PROXIES", "private");
const ON: (&str, &str) = ("RATE_LIMITS", "on");

/// Posts from an address of which a proxy tells, with what the device has kept.
async fn post(client: &Client, path: &str, body: Value, address: &str, cookie: &str) -> Reply {
    let headers = [("x-forwarded-for", address), ("cookie", cookie)];
    client.send(Method::POST, path, Some(body), &headers).await
}

async fn log_in(
    client: &Client,
    email: &str,
    password: &str,
    address: &str,
    cookie: &str,
) -> Reply {
    let body = json!({"email": email, "password": password});
    post(client, "/api/v1/auth/login", body, address, cookie).await
}

/// What a device keeps of an answer.
fn kept(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_in_the_house_keep_nobody_of_it_out() {
    const HERE: &str = "192.0.2.7";
    let app = TestApp::with(2, &[ON, PROXIES]).await;
    let workers = [app.client(0), app.client(1)];
    let email = "Owner@example.com";
    let register = json!({"restaurantName": "One", "email": email, "password": PASSWORD});
    let registered = post(&workers[0], "/api/v1/auth/register", register, HERE, "").await;
    let device = kept(&registered);
    registered.expect(201);
    // A guest in the restaurant's network, who spells the address in several ways.
    let spellings = [
        "owner@example.com",
        " OWNER@EXAMPLE.COM",
        "Owner@Example.com ",
    ];
    let guess = async |number: usize| {
        let (worker, email) = (&workers[number % 2], spellings[number % 3]);
        log_in(worker, email, "wrong password", HERE, "")
            .await
            .status
    };
    for number in 0..12 {
        assert_eq!(guess(number).await, 401);
    }
    log_in(&workers[1], email, PASSWORD, HERE, "")
        .await
        .expect(200);
    for number in 12..50 {
        assert_eq!(guess(number).await, 401, "{number}");
    }
    assert_eq!(guess(50).await, 429);
    let refused = log_in(&workers[0], email, PASSWORD, HERE, "").await;
    refused.expect_error(429, "too_many");
    // The device that is known has what is its own, there and elsewhere, at both workers.
    for (number, address) in [HERE, "198.51.100.1", "2001:db8::1"].iter().enumerate() {
        let worker = &workers[number % 2];
        let reply = log_in(worker, email, PASSWORD, address, &device).await;
        assert_eq!(kept(&reply), device);
        reply.expect(200);
    }
    // And no more than that: ten wrong ones, and it waits like others.
    for _ in 0..10 {
        let reply = log_in(&workers[0], email, "wrong password", HERE, &device).await;
        reply.expect_error(401, "wrong_credentials");
    }
    let refused = log_in(&workers[1], email, PASSWORD, HERE, &device).await;
    refused.expect_error(429, "too_many");
    // What somebody makes up is not known.
    let made_up = format!("qtable_device={}", "0".repeat(32));
    let refused = log_in(&workers[0], email, PASSWORD, HERE, &made_up).await;
    refused.expect_error(429, "too_many");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_has_the_same_guesses() {
    let app = TestApp::with(1, &[ON, PROXIES]).await;
    let client = app.client(0);
    for (email, spellings, other) in [
        (
            "iiiiii@example.com",
            ["IIIIII@example.com", "iiiiiI@EXAMPLE.com"],
            "İİİİİİ@example.com",
        ),
        (
            "nobody@bücher.de",
            ["NOBODY@xn--bcher-kva.de", "nobody@BÜCHER.de"],
            "nobody@bucher.de",
        ),
    ] {
        if email.starts_with('i') {
            let register = json!({"restaurantName": "One", "email": email, "password": PASSWORD});
            client.post("/auth/register", register).await.expect(201);
        }
        let mut statuses = Vec::new();
        for number in 0..12 {
            let reply = log_in(
                &client,
                spellings[number % 2],
                "wrong password",
                "192.0.2.7",
                "",
            );
            statuses.push(reply.await.status);
        }
        assert_eq!(statuses[..10], [401; 10], "{email}");
        assert_eq!(statuses[10..], [429; 2], "{email}");
        // It is another address, and nobody's.
        let reply = log_in(&client, other, PASSWORD, "192.0.2.7", "").await;
        reply.expect_error(401, "wrong_credentials");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_an_address_keeps_known_devices_neither_from_logging_in_nor_from_going_on() {
    const HERE: &str = "192.0.2.7";
    let vars = [
        ON,
        PROXIES,
        ("RATE_LIMIT_LOGINS", "3"),
        ("RATE_LIMIT_REFRESHES", "3"),
    ];
    let app = TestApp::with(2, &vars).await;
    let workers = [app.client(0), app.client(1)];
    let house = Restaurant::new(&app).await;
    let first = log_in(&workers[0], &house.email, PASSWORD, HERE, "").await;
    let device = kept(&first);
    let mut tokens = first.expect(200);
    let refresh = async |worker: usize, token: &Value| {
        let body = json!({"refresh_token": token});
        post(&workers[worker], "/api/v1/auth/refresh", body, HERE, "").await
    };
    // Also what looks like a token of somebody.
    let invented = {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([7; 64])
    };
    for token in ["x", &invented] {
        for _ in 0..4 {
            refresh(0, &json!(token)).await;
        }
        refresh(0, &json!(token))
            .await
            .expect_error(429, "too_many");
    }
    for number in 0..6 {
        let reply = refresh(number % 2, &tokens["refresh_token"]).await;
        tokens = reply.expect(200);
    }
    for _ in 0..4 {
        log_in(
            &workers[0],
            "nobody@example.com",
            "wrong password",
            HERE,
            "",
        )
        .await;
    }
    let refused = log_in(&workers[0], &house.email, PASSWORD, HERE, "").await;
    refused.expect_error(429, "too_many");
    for worker in &workers {
        let reply = log_in(worker, &house.email, PASSWORD, HERE, &device).await;
        reply.expect(200);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_the_present_password_are_of_the_device_that_makes_them() {
    let app = TestApp::with(1, &[ON]).await;
    let house = Restaurant::new(&app).await;
    let other = login(&app.client(0), &house.email).await;
    let other = house
        .owner
        .with_token(other["access_token"].as_str().unwrap());
    let change = async |client: &Client, present: &str| {
        let body = json!({"currentPassword": present, "newPassword": "another good password"});
        client.put("/auth/password", body).await
    };
    for _ in 0..10 {
        let reply = change(&other, "wrong password").await;
        reply.expect_error(401, "wrong_credentials");
    }
    change(&other, PASSWORD).await.expect_error(429, "too_many");
    assert_eq!(change(&house.owner, PASSWORD).await.status, 204);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_the_devices_of_others_ask_again() {
    const ASKED: &str =
        "qtable_database_operation_duration_seconds_count{operation=\"sessions.standing\"}";
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let stranger = Restaurant::new(&app).await;
    let me = async || house.owner.get("/auth/me").await.expect(200);
    me().await;
    let before = app.client(0).metric(ASKED).await;
    for _ in 0..20 {
        let refused = json!({"refresh_token": "x"});
        let refused = app.client(0).post("/auth/refresh", refused).await;
        refused.expect_error(401, "refresh_refused");
        me().await;
    }
    // What is remembered ages, but not with every request.
    let asked = app.client(0).metric(ASKED).await - before;
    assert!(asked <= 10.0, "{asked}");
    // Those that leave are asked for themselves, and nobody else is.
    let before = app.client(0).metric(ASKED).await;
    for _ in 0..20 {
        let tokens = login(&app.client(0), &stranger.email).await;
        let leaving = app
            .client(0)
            .with_token(tokens["access_token"].as_str().unwrap());
        assert_eq!(leaving.post("/auth/logout", json!({})).await.status, 204);
        // It is seen here at once.
        let gone = leaving.get("/auth/me").await;
        gone.expect_error(401, "unauthenticated");
        me().await;
    }
    let asked = app.client(0).metric(ASKED).await - before;
    assert!((40.0..=50.0).contains(&asked), "{asked}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_the_restaurant_of_its_device() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let other = Restaurant::new(&app).await;
    let me = house.owner.get("/auth/me").await.expect(200);
    let (user, session) = (
        me["id"].as_str().unwrap(),
        me["sessionId"].as_str().unwrap(),
    );
    let state = &app.worker(0).state;
    let token = |restaurant: Option<&str>| {
        let restaurant = restaurant.map(|id| id.parse().unwrap());
        let (user, session) = (user.parse().unwrap(), session.parse().unwrap());
        let now = state.db.clock().now();
        state
            .tokens
            .issue(user, session, restaurant, 1, now)
            .unwrap()
    };
    let good = house.owner.with_token(&token(Some(&house.id)));
    good.get("/auth/me").await.expect(200);
    for restaurant in [Some(other.id.as_str()), None] {
        let forged = house.owner.with_token(&token(restaurant));
        for path in [
            "/auth/me".to_owned(),
            house.path("/guests"),
            other.path("/guests"),
        ] {
            forged.get(&path).await.expect_error(401, "unauthenticated");
        }
        let ticket = forged.post("/realtime/tickets", json!({})).await;
        ticket.expect_error(401, "unauthenticated");
        let bearer = format!("Bearer {}", forged.token.as_ref().unwrap());
        for id in [&house.id, &other.id] {
            let path = format!("/realtime?restaurant_id={id}");
            let opened = Socket::open_at(&forged, &path, &[("authorization", &bearer)]).await;
            assert_eq!(opened.err().map(|(status, _)| status), Some(401));
        }
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_does_not_open_production() {
    let production = [
        ("ENVIRONMENT", "production"),
        ("SECRET_KEY", "q8Zr1vN0yXw3LkTf5HdJ7sBa9GpMcEuR2oVi4"),
        ("PUBLIC_URL", "https://tables.example.com"),
        ("BCRYPT_COST", "10"),
    ];
    let mut app = TestApp::with(1, &[production[1]]).await;
    let state = &app.worker(0).state;
    assert!(seed_demo::seed(&state.db, &state.passwords).await.unwrap());
    let demo = async |client: &Client| {
        let body = json!({"email": " TEST@restaurant.com", "password": seed_demo::PASSWORD});
        client.post("/api/v1/auth/login", body).await
    };
    let tokens = demo(&app.client(0)).await.expect(200);
    let sql = connect(app.database_url()).await;
    let hash = "SELECT password_hash FROM users WHERE email_key = 'test@restaurant.com'";
    let known: String = sql.query_one(hash, &[]).await.unwrap().get(0);
    // An administrator of those days, too.
    let admin = "INSERT INTO users (id, email, password_hash, is_admin, created_at, last_updated) \
         SELECT gen_random_uuid(), 'admin@example.com', password_hash, true, now(), now() FROM users";
    sql.execute(admin, &[]).await.unwrap();
    let (is_good, said) = check_config(&[
        production[0],
        production[1],
        production[2],
        ("DATABASE_URL", app.database_url()),
    ]);
    assert!(!is_good, "{said}");
    assert!(
        said.contains("test@restaurant.com") && said.contains("admin@example.com"),
        "{said}"
    );

    for (name, value) in production {
        app.set_var(name, value);
    }
    let worker = app.add_worker().await;
    let refused = demo(&app.client(worker)).await;
    refused.expect_error(401, "wrong_credentials");
    let admin = json!({"email": "admin@example.com", "password": seed_demo::PASSWORD});
    let refused = app.client(worker).post("/auth/login", admin).await;
    refused.expect_error(401, "wrong_credentials");
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let refused = app.client(worker).post("/auth/refresh", refresh).await;
    refused.expect_error(401, "refresh_refused");
    let old = app
        .client(worker)
        .with_token(tokens["access_token"].as_str().unwrap());
    old.get("/auth/me")
        .await
        .expect_error(401, "unauthenticated");

    // Seeded again while it runs: it opens nothing all the same.
    let again = "UPDATE users SET password_hash = $1 WHERE email_key = 'test@restaurant.com'";
    sql.execute(again, &[&known]).await.unwrap();
    demo(&app.client(0)).await.expect(200);
    let refused = demo(&app.client(worker)).await;
    refused.expect_error(401, "wrong_credentials");
    // And nobody gets such a password any more.
    let body =
        json!({"restaurantName": "One", "email": "a@example.com", "password": "password123"});
    let refused = app.client(worker).post("/auth/register", body).await;
    assert_eq!(refused.fields(), ["password"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_before_get_their_keys() {
    let mut app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let sql = connect(app.database_url()).await;
    sql.execute("UPDATE users SET email_key = NULL", &[])
        .await
        .unwrap();
    login(&app.client(0), &house.email.to_uppercase()).await;
    app.add_worker().await;
    until("the key", DEADLINE, async || {
        let key = sql
            .query_one("SELECT email_key FROM users", &[])
            .await
            .unwrap();
        key.get::<_, Option<String>>(0)
            .filter(|key| *key == house.email)
    })
    .await;
    login(&app.client(0), &house.email.to_uppercase()).await;
    app.finish().await;
}

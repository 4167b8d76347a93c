//! What must not be in the log, whatever its level: two workers tell all they can while everything
//! that is secret goes through them.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::wait::DEADLINE;

use crate::support::app::connect;
use crate::support::restaurant::PASSWORD;
use crate::support::{Client, Endpoint, Restaurant, Socket, TestApp};

const WRONG: &str = "a-wrong-password-1";
const NEW: &str = "a-new-password-2";
const PHONE: &str = "+491512345678";
const EMAIL: &str = "ann.lee@guests.example";
const NAME: &str = "Annabelle Leeson";

/// Everything that was given to the workers, or by them, and is nobody else's business.
struct Secrets(Vec<String>);

impl Secrets {
    fn keep(&mut self, value: &Value) -> String {
        let secret = value.as_str().unwrap().to_owned();
        self.0.push(secret.clone());
        secret
    }

    fn keep_tokens(&mut self, tokens: &Value) -> String {
        self.keep(&tokens["refresh_token"]);
        self.keep(&tokens["access_token"])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_log_at_any_level() {
    let outside = Endpoint::start().await;
    let mut app = TestApp::with(0, &[]).await;
    let (otlp, dsn) = (
        format!("http://{}", outside.address),
        format!("http://the-key-of-the-tracker@{}/7", outside.address),
    );
    let key = "the-key-that-signs-all-the-tokens";
    app.set_var("SECRET_KEY", key);
    let vars = [
        ("LOG_LEVEL", "trace"),
        ("METRICS_TOKEN", "the-token-for-metrics"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.as_str()),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "api-key=the-key-of-the-vendor",
        ),
        ("SENTRY_DSN", &dsn),
        ("RATE_LIMITS", "on"),
        ("RATE_LIMIT_LOGINS", "5"),
        ("SHUTDOWN_GRACE_SECONDS", "1"),
        ("ADMIN_EMAIL", "admin@example.com"),
        ("ADMIN_PASSWORD", "the password of the admin"),
        ("LOG_FORMAT", "json"),
    ];
    let (mut first, client) = app.process(&vars).await;
    let (mut second, other) = app
        .process(&[&vars[..10], &[("LOG_FORMAT", "pretty")]].concat())
        .await;
    let given = [
        PASSWORD,
        WRONG,
        NEW,
        PHONE,
        EMAIL,
        NAME,
        key,
        "the-token-for-metrics",
        "the-key-of-the-vendor",
        "the-key-of-the-tracker",
        "the password of the admin",
    ];
    let mut secrets = Secrets(given.map(str::to_owned).to_vec());
    people(&client, &mut secrets).await;
    let house = Restaurant::of(&client).await;
    secrets.keep_tokens(&house.owner_tokens);
    links(&house, &other, &mut secrets).await;
    guests(&house, &other).await;
    sockets(&house, &other, &mut secrets).await;
    faults(&app, &house, &other).await;
    for worker in [&mut first, &mut second] {
        worker.terminate();
        assert!(worker.wait(DEADLINE).await.success());
    }
    let log = first.output() + &second.output();
    for said in ["TRACE", "DEBUG", "answered with a fault", "realtime"] {
        assert!(
            log.contains(said),
            "not what is meant to be looked at: no {said}"
        );
    }
    for secret in &secrets.0 {
        // As a text, and as libraries show what they send.
        let bytes = format!("{:?}", secret.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        let tells = |line: &&str| line.contains(secret.as_str()) || line.contains(bytes);
        assert_eq!(log.lines().find(tells), None, "{secret}");
    }
    app.take_faults();
    app.finish().await;
}

/// Registrations, logins, passwords, tokens.
async fn people(client: &Client, secrets: &mut Secrets) {
    let register = json!({
        "restaurantName": "Chez Elles", "email": EMAIL, "password": PASSWORD, "firstName": NAME,
    });
    let path = "/api/v1/auth/register";
    let tokens = client.post(path, register.clone()).await.expect(201);
    secrets.keep_tokens(&tokens);
    client.post(path, register).await.expect(409);
    let path = "/api/v1/auth/login";
    let login = |password| json!({"email": EMAIL, "password": password});
    client.post(path, login(WRONG)).await.expect(401);
    let tokens = client.post(path, login(PASSWORD)).await.expect(200);
    let token = secrets.keep_tokens(&tokens);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let path = "/api/v1/auth/refresh";
    let rotated = client.post(path, refresh.clone()).await.expect(200);
    let owner = client.with_token(&secrets.keep_tokens(&rotated));
    // Used, and used again: the device is signed out, which is told.
    let again = json!({"refresh_token": rotated["refresh_token"]});
    secrets.keep_tokens(&client.post(path, again).await.expect(200));
    client.post(path, refresh).await.expect(401);
    let garbled = format!("{token}x");
    client
        .with_token(&garbled)
        .get("/api/v1/auth/me")
        .await
        .expect(401);
    secrets.0.push(garbled);
    let tokens = client
        .post("/api/v1/auth/login", login(PASSWORD))
        .await
        .expect(200);
    let owner = owner.with_token(&secrets.keep_tokens(&tokens));
    let change = |old| json!({"currentPassword": old, "newPassword": NEW});
    let path = "/api/v1/auth/password";
    let wrong = owner.put(path, change(WRONG)).await;
    assert!((400..500).contains(&wrong.status), "{wrong:?}");
    owner.put(path, change(PASSWORD)).await;
    let metrics = client
        .with_token("the-token-for-metrics")
        .get("/metrics")
        .await;
    assert_eq!(metrics.status, 200);
    // Until there are too many.
    for _ in 0..30 {
        if client.post("/api/v1/auth/login", login(WRONG)).await.status == 429 {
            return;
        }
    }
    panic!("nobody counts logins");
}

/// Links, opened and mistyped, at either worker.
async fn links(house: &Restaurant, other: &Client, secrets: &mut Secrets) {
    let (invitation, secret) = house
        .invite(json!({"email": EMAIL, "firstName": NAME}))
        .await;
    secrets.0.push(secret.clone());
    let body = json!({"secret": secret, "email": "own@example.com", "password": PASSWORD});
    other
        .post("/api/v1/invitations/lookup", body.clone())
        .await
        .expect(200);
    let tokens = other
        .post("/api/v1/invitations/accept", body)
        .await
        .expect(201);
    secrets.keep_tokens(&tokens);
    let user = tokens["user_id"].as_str().unwrap();
    house.confirm(&invitation, user).await;
    let path = house.path(&format!("/users/{user}/reset-link"));
    let made = house
        .at(other)
        .post_once("a-key", &path, json!({}))
        .await
        .expect(201);
    let (_, reset) = made["link"].as_str().unwrap().rsplit_once('/').unwrap();
    secrets.0.push(reset.to_owned());
    for (page, secret) in [("i", secret.as_str()), ("r", reset)] {
        for path in [
            format!("/{page}/{secret}"),
            format!("/{page}/{secret}/"),
            format!("//{page}/{secret}"),
            format!("/{page}/{secret}/x"),
            format!("/api/v1/{page}/{secret}"),
            format!("/x{page}/{secret}"),
        ] {
            for client in [&house.owner, other] {
                client.get(&path).await;
                let form = Some(format!("password={NEW}").into_bytes());
                let kind = [("content-type", "application/x-www-form-urlencoded")];
                let wrong = path.replace(secret, &secret.replace(['A', 'Z'], "0"));
                client.send_raw(Method::POST, &wrong, form, &kind).await;
            }
        }
    }
    let body = json!({"secret": reset, "newPassword": NEW});
    let done = other.post("/api/v1/auth/password/reset", body).await;
    assert!([204, 429].contains(&done.status), "{}", done.text);
}

/// Parties and bookings with everything that can be known of people, and what cannot be read.
async fn guests(house: &Restaurant, other: &Client) {
    let party = json!({
        "guestName": NAME, "partySize": 2, "phone": PHONE, "email": EMAIL, "notes": NAME,
    });
    let guests = house.path("/guests");
    let second = house.at(other);
    let made = house
        .owner
        .post_once("a-key", &guests, party.clone())
        .await
        .expect(201);
    house
        .owner
        .post_once("a-key", &guests, party.clone())
        .await
        .expect(201);
    let one = format!("{guests}/{}", made["id"].as_str().unwrap());
    second.put(&one, json!({"notes": PHONE})).await.expect(200);
    second
        .get(&format!("{guests}?q={}", PHONE.replace('+', "%2B")))
        .await
        .expect(200);
    for wrong in [
        json!({"guestName": NAME, "partySize": 0, "phone": PHONE, "email": "ann.lee@guests.example@"}),
        json!({"guestName": NAME, "partySize": PHONE}),
        json!([NAME, PHONE]),
    ] {
        let refused = second.post(&guests, wrong).await;
        assert!((400..500).contains(&refused.status), "{refused:?}");
    }
    let garbled = house.owner.request(Method::POST, &guests);
    let garbled = garbled.header("content-type", "application/json");
    let garbled = garbled.body(format!("{{\"guestName\": \"{NAME}\", \"phone\": {PHONE}"));
    assert_eq!(garbled.send().await.unwrap().status(), 400);
    let person = json!({"phone": PHONE, "email": EMAIL});
    second
        .post(&house.path("/privacy/export"), person)
        .await
        .expect(200);
}

/// Sockets by header, by subprotocol, by ticket in the address, and with what is none of these.
async fn sockets(house: &Restaurant, other: &Client, secrets: &mut Secrets) {
    let second = house.at(other);
    let token = second.token.clone().unwrap();
    let mut socket = Socket::open(&second, &house.id, "").await;
    socket.say(json!({"type": "auth", "token": token})).await;
    socket.say(json!({"type": "auth", "token": WRONG})).await;
    socket.say(json!({"type": PHONE})).await;
    let path = format!("/api/v1/realtime?restaurant_id={}", house.id);
    let protocol = format!("bearer, {token}");
    let by_protocol = [("sec-websocket-protocol", protocol.as_str())];
    let _open = Socket::open_at(other, &path, &by_protocol).await.unwrap();
    let ticket = second.post("/api/v1/realtime/tickets", json!({})).await;
    let ticket = secrets.keep(&ticket.expect(201)["ticket"]);
    let path = format!("{path}&token={ticket}");
    let _open = Socket::open_at(other, &path, &[]).await.unwrap();
    // Once only.
    let refused = Socket::open_at(other, &path, &[]).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(401));
    let events = format!(
        "/api/v1/realtime/events?restaurant_id={}&token={ticket}",
        house.id
    );
    other.get(&events).await.expect(401);
}

/// The database refuses, and says what.
async fn faults(app: &TestApp, house: &Restaurant, other: &Client) {
    let sql = connect(app.database_url()).await;
    let party = json!({"guestName": NAME, "partySize": 2, "phone": PHONE, "email": EMAIL});
    let path = house.path("/guests");
    sql.batch_execute(
        "ALTER TABLE guests ADD CONSTRAINT no_phones CHECK (phone IS NULL) NOT VALID",
    )
    .await
    .unwrap();
    for client in [house.owner.clone(), house.at(other)] {
        client.post(&path, party.clone()).await.expect(500);
    }
    sql.batch_execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'refused % of %', NEW.phone, NEW.email; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON guests FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await
    .unwrap();
    for client in [house.owner.clone(), house.at(other)] {
        client.post(&path, party.clone()).await.expect(500);
    }
}

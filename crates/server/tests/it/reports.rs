//! Faults, as a tracker hears of them from the program itself.

use serde_json::{Value, json};
use testkit::wait::{DEADLINE, until};
use tokio::net::TcpListener;

use crate::support::app::connect;
use crate::support::raw::Raw;
use crate::support::{Endpoint, Restaurant, TestApp};

const PHONE: &str = "+491512345678";

/// Breaks the database so that the next party with a number is a fault, which the database tells
/// with all that was to be written.
async fn break_guests(app: &TestApp) {
    let sql = connect(app.database_url()).await;
    sql.batch_execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'refused % of %', NEW.phone, NEW.guest_name \
         USING ERRCODE = 'XX000', DETAIL = 'Row: ' || NEW::text; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON guests FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await
    .unwrap();
}

fn party() -> Value {
    json!({"guestName": "Ann@home", "partySize": 2, "phone": PHONE})
}

/// The reports that have come: of each envelope the third line.
fn reports(tracker: &Endpoint) -> Vec<Value> {
    let received = tracker.received();
    let reports = received.iter().map(|received| {
        assert_eq!(received.path, "/api/7/envelope/");
        let key = &received.headers["x-sentry-auth"];
        assert!(key.contains("sentry_key=thekey"), "{key}");
        let text = std::str::from_utf8(&received.body).unwrap();
        serde_json::from_str(text.lines().nth(2).unwrap()).unwrap()
    });
    reports.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_is_reported_without_what_was_to_be_written() {
    let tracker = Endpoint::start().await;
    let app = TestApp::with(0, &[]).await;
    let dsn = format!("http://thekey@{}/7", tracker.address);
    let vars = [
        ("SENTRY_DSN", dsn.as_str()),
        ("WORKER_ID", "w-1"),
        ("LOG_FORMAT", "json"),
        ("SHUTDOWN_GRACE_SECONDS", "1"),
    ];
    let (mut worker, client) = app.process(&vars).await;
    let house = Restaurant::of(&client).await;
    // What clients do wrong is no fault.
    let wrong = house.owner.post(&house.path("/guests"), json!({})).await;
    assert_eq!(wrong.status, 422);
    break_guests(&app).await;
    let fault = house.owner.post(&house.path("/guests"), party()).await;
    let id = fault.header("x-request-id").unwrap().to_owned();
    fault.expect_error(500, "internal");
    let found = until("the report", DEADLINE, async || {
        reports(&tracker).first().cloned()
    })
    .await;
    let is = [
        ("/message", "answered with a fault of the server"),
        ("/release", concat!("qtable@", env!("CARGO_PKG_VERSION"))),
        ("/environment", "test"),
        ("/server_name", "w-1"),
        ("/transaction", "/api/v1/restaurants/{rid}/guests"),
        ("/tags/request_id", &id),
        ("/tags/code", "internal"),
        ("/extra/cause", "database: refused […] of […]"),
    ];
    for (path, value) in is {
        assert_eq!(found.pointer(path), Some(&json!(value)), "{path}: {found}");
    }
    worker.terminate();
    assert!(worker.wait(DEADLINE).await.success());
    assert_eq!(reports(&tracker).len(), 1);
    let told = tracker.received().into_iter().map(|received| received.body);
    let told = String::from_utf8(told.flatten().collect()).unwrap() + &worker.output();
    let token = house.owner.token.as_ref().unwrap();
    for secret in [PHONE, "Ann@home", "thekey", token] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    app.take_faults();
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_no_fault() {
    let tracker = Endpoint::start().await;
    let app = TestApp::with(0, &[]).await;
    let dsn = format!("http://thekey@{}/7", tracker.address);
    let vars = [
        ("SENTRY_DSN", dsn.as_str()),
        ("LOG_FORMAT", "json"),
        ("SHUTDOWN_GRACE_SECONDS", "1"),
    ];
    let (mut worker, client) = app.process(&vars).await;
    let house = Restaurant::of(&client).await;
    // More than may be reported at once.
    for sent in [
        "GET / HTTP/1.1\r\nBad Header x\r\n\r\n",
        "GET / x HTTP/1.1\r\n\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: 9\r\n\r\n{\0",
    ] {
        for _ in 0..8 {
            let mut raw = Raw::connect(&client).await;
            raw.say(sent).await;
            if sent.ends_with('\0') {
                // It hangs up in the middle of its body.
                continue;
            }
            assert_eq!(raw.head().await.status, 400);
        }
    }
    break_guests(&app).await;
    let fault = house.owner.post(&house.path("/guests"), party()).await;
    fault.expect_error(500, "internal");
    until("the report", DEADLINE, async || {
        (!reports(&tracker).is_empty()).then_some(())
    })
    .await;
    worker.terminate();
    assert!(worker.wait(DEADLINE).await.success());
    assert_eq!(reports(&tracker).len(), 1);
    let output = worker.output();
    let errors = output.lines().filter(|line| line.contains("\"ERROR\""));
    assert_eq!(errors.count(), 1, "{output}");
    app.take_faults();
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracker_that_hangs_holds_nobody_up() {
    // Takes connections, and never answers.
    let tracker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = TestApp::with(0, &[]).await;
    let dsn = format!("http://thekey@{}/7", tracker.local_addr().unwrap());
    let vars = [
        ("SENTRY_DSN", dsn.as_str()),
        ("SHUTDOWN_GRACE_SECONDS", "0"),
    ];
    let (mut worker, client) = app.process(&vars).await;
    let house = Restaurant::of(&client).await;
    break_guests(&app).await;
    // More than are sent, wait, or are allowed.
    for _ in 0..100 {
        let fault = house.owner.post(&house.path("/guests"), party()).await;
        fault.expect_error(500, "internal");
    }
    let _held = tracker.accept().await.unwrap();
    house.owner.get(&house.path("/guests")).await.expect(200);
    worker.terminate();
    // At the deadline this fails: the tracker would have been waited for.
    assert!(worker.wait(DEADLINE).await.success());
    assert!(
        worker
            .output()
            .contains("the last reports of faults were not sent")
    );
    app.take_faults();
    app.finish().await;
}

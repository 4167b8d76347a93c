//! The shipped nginx configuration, run by the real nginx in front of two workers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::wait::{DEADLINE, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::fleet::{Balancer, Fleet};
use crate::support::{Restaurant, Socket, Stream, guest};

fn since(tablet: &Socket, seq: i64) -> String {
    format!(
        "&since={seq}&epoch={}",
        tablet.connect["epoch"].as_str().unwrap()
    )
}

/// The number of the worker that serves this socket.
fn served_by(tablet: &Socket) -> usize {
    number(&tablet.connect)
}

/// The number of the worker that said this first frame.
fn number(connect: &Value) -> usize {
    let id = connect["worker_id"].as_str().unwrap();
    id.strip_prefix('w').unwrap().parse().unwrap()
}

async fn tablet(house: &Restaurant, query: &str) -> Socket {
    Socket::open(&house.owner, &house.id, query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_requests_are_spread_and_everybody_sees_everything() {
    let fleet = Fleet::start().await;
    let balancer = Balancer::start(&fleet).await;
    let house = balancer.restaurant(&fleet).await;
    let mut tablets = Vec::new();
    for _ in 0..4 {
        tablets.push(tablet(&house, "").await);
    }
    // Each goes where the fewest are.
    let mut served: Vec<usize> = tablets.iter().map(served_by).collect();
    served.sort_unstable();
    assert_eq!(served, [0, 0, 1, 1]);
    for name in ["Ann", "Ben", "Cleo"] {
        house.guest(name, 2).await;
    }
    for tablet in &mut tablets {
        let seqs: Vec<_> = tablet
            .until(3)
            .await
            .iter()
            .map(|frame| frame["seq"].as_i64().unwrap())
            .collect();
        assert_eq!(seqs, [1, 2, 3]);
        // And the other way.
        tablet.say(json!({"type": "ping"})).await;
        assert_eq!(tablet.frame_of("pong").await["position"], 3);
    }
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_balancer_says_itself_has_the_one_envelope() {
    let mut fleet = Fleet::start().await;
    let balancer = Balancer::start(&fleet).await;
    let client = fleet.client(balancer.address);
    // The workers would show them; from outside nobody gets there, however it is spelled.
    let direct = fleet.client(fleet.workers[0].addr());
    assert_eq!(direct.get("/metrics").await.status, 200);
    for path in [
        "/metrics",
        "/metrics/",
        "//metrics",
        "/%6detrics",
        "/api/metrics",
        "/api/v1/metrics",
        "/api//v1/./metrics",
        "/health/../metrics",
        "/metrics?x=1",
    ] {
        // Written by hand: a client library would tidy the path.
        let address = balancer.address;
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let answer = raw(balancer.address, &head).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(!answer.contains("qtable_"), "{path}");
    }
    client.get("/metrics").await.expect_error(404, "not_found");

    let large = vec![b' '; 1024 * 1024 + 1];
    let login = "/api/v1/auth/login";
    let reply = client.send_raw(Method::POST, login, Some(large), &[]).await;
    reply.expect_error(413, "too_large");

    // An id that a client gives goes all the way; one that will not do is replaced.
    for (given, is_kept) in [("till-7.0001", true), ("a b", false)] {
        let headers = [("x-request-id", given)];
        let reply = client.send(Method::GET, "/auth/me", None, &headers).await;
        assert_eq!(reply.header("x-request-id") == Some(given), is_kept);
        reply.expect_error(401, "unauthenticated");
    }
    assert_eq!(fleet.take_faults(), Vec::<String>::new());

    for worker in &mut fleet.workers {
        worker.kill();
    }
    let reply = client.get("/auth/me").await;
    assert_eq!(reply.header("retry-after"), Some("1"));
    reply.expect_error(503, "unavailable");
}

/// Neither what was asked for nor what went wrong with it tells a secret of a path.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_paths_are_not_logged() {
    let mut fleet = Fleet::start().await;
    let balancer = Balancer::start(&fleet).await;
    let secret = "5ecretOfSomebody".repeat(4);
    let short = "sh0rtC0de";
    let paths = [
        format!("/i/{secret}"),
        format!("/r/{secret}?x={short}"),
        format!("//i/{secret}"),
        format!("/%69/{secret}"),
        format!("/I/{secret}/"),
        format!("/api/v1/i/{secret}"),
        format!("/x/{secret}"),
        format!("/t/{short}"),
        format!("/api/q/{short}/y"),
        format!("/o/{short}"),
        format!("/w/{short}"),
    ];
    let ask = async |path: &str| {
        let address = balancer.address;
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        raw(address, &head).await
    };
    for path in &paths {
        let answer = ask(path).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
    for worker in &mut fleet.workers {
        worker.kill();
    }
    for path in &paths {
        ask(path).await;
    }
    ask("/restaurants/the-last").await;
    let log = until("the balancer to log the last", DEADLINE, async || {
        let log = balancer.log();
        log.contains("\"path\":\"/restaurants/the-last\"")
            .then_some(log)
    })
    .await;
    assert!(
        log.contains("\"path\":\"/i/…\"") && log.contains("\"path\":\"/t/…\""),
        "{log}"
    );
    // What goes wrong with a long path elsewhere is told by the error log as it came.
    let access = log
        .lines()
        .filter(|line| line.contains("\"worker_status\""));
    for line in access {
        assert!(!line.contains(&secret) && !line.contains(short), "{line}");
    }
    let faults = log.lines().filter(|line| line.contains("upstream"));
    for line in faults.filter(|line| !line.contains("GET /x/")) {
        assert!(!line.contains(&secret) && !line.contains(short), "{line}");
    }
}

/// The address of a client is what the balancer says, and only the balancer is believed.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "other systems have one loopback address alone"
)]
async fn nobody_invents_an_address() {
    let fleet = Fleet::start().await;
    let balancer = Balancer::start(&fleet).await;
    let worker = fleet.workers[0].addr();
    for (name, from, to, expected) in [
        ("through", "127.0.0.2", balancer.address, "127.0.0.2"),
        ("around", "127.0.0.3", worker, "127.0.0.3"),
        // The balancer's own machine is trusted, so it may say who it asks for.
        ("trusted", "127.0.0.1", worker, "203.0.113.9"),
    ] {
        let client = reqwest::Client::builder()
            .local_address(from.parse::<std::net::IpAddr>().unwrap())
            .build()
            .unwrap();
        client
            .get(format!("http://{to}/auth/me"))
            .header("x-request-id", name)
            .header("x-forwarded-for", "203.0.113.9")
            .send()
            .await
            .unwrap();
        let line = until("the line in a worker's log", DEADLINE, async || {
            let logs = fleet.workers.iter().map(|worker| worker.output());
            let lines: Vec<String> = logs.flat_map(|log| lines_with(&log, name)).collect();
            lines.into_iter().next()
        })
        .await;
        assert!(line.contains(&format!("\"{expected}\"")), "{name}: {line}");
    }
}

fn lines_with(log: &str, request_id: &str) -> Vec<String> {
    let id = format!("\"{request_id}\"");
    let access = |line: &&str| line.contains(&id) && line.contains("\"client\"");
    log.lines().filter(access).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_dies_and_nobody_misses_anything() {
    let mut fleet = Fleet::start().await;
    let balancer = Balancer::start(&fleet).await;
    let house = balancer.restaurant(&fleet).await;
    let mut first = tablet(&house, "").await;
    let mut second = tablet(&house, "").await;
    house.guest("Seen", 2).await;
    first.until(1).await;
    second.until(1).await;
    let dying = served_by(&first);
    assert_ne!(dying, served_by(&second));

    let healthy = (true, "healthy\n".to_owned());
    assert_eq!(fleet.healthcheck(dying).await, healthy);
    fleet.workers[dying].kill();
    let (is_healthy, words) = fleet.healthcheck(dying).await;
    assert!(!is_healthy && words.contains("does not answer"), "{words}");
    assert_eq!(first.closed().await.code, 0, "the connection just ends");
    // Every request finds the worker that is left, writes as well: they were never sent.
    for number in 0..10 {
        house.guest(&format!("Missed {number}"), 2).await;
        house.owner.get(&house.path("/guests")).await.expect(200);
    }
    let mut back = tablet(&house, &since(&first, 1)).await;
    assert_eq!(back.connect["resumed"], true);
    let missed = back.until(11).await;
    assert_eq!(missed.len(), 10);
    assert_eq!(
        second.until(11).await,
        missed,
        "the same frames, live and later"
    );
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_at_noon() {
    let mut fleet = Fleet::start().await;
    let balancer = Balancer::start(&fleet).await;
    let house = balancer.restaurant(&fleet).await;
    let mut tablets = Vec::new();
    for _ in 0..6 {
        tablets.push(tablet(&house, "").await);
    }
    house.guest("Seen", 2).await;
    for tablet in &mut tablets {
        tablet.until(1).await;
    }
    let going = served_by(&tablets[0]);
    let (leaving, mut staying): (Vec<_>, Vec<_>) = tablets
        .into_iter()
        .partition(|tablet| served_by(tablet) == going);

    fleet.workers[going].terminate();
    for mut tablet in leaving {
        let closed = tablet.closed().await;
        assert_eq!(closed.code, 1001);
        let reason: Value = serde_json::from_str(&closed.reason).unwrap();
        assert!(reason["reconnect_after_ms"].is_u64());
        // It is going away, and its other sockets are still there or not: who comes back gets to
        // another one, without noticing that this one was asked first.
        staying.push(self::tablet(&house, &since(&tablet, 1)).await);
        assert_ne!(served_by(&staying[staying.len() - 1]), going);
    }
    house
        .owner
        .post(&house.path("/guests"), guest("New", 2))
        .await
        .expect(201);
    for tablet in &mut staying {
        assert_eq!(tablet.frame().await["data"]["guestName"], "New");
    }
    let ended = fleet.workers[going].wait(Duration::from_secs(20)).await;
    assert!(ended.success());
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

/// A stream of server-sent events comes through as it is written, not when a buffer is full: each
/// change is made only when the one before was heard. When its worker dies, the next one goes on
/// where the client was.
#[tokio::test(flavor = "multi_thread")]
async fn server_sent_events_are_not_held_back() {
    let mut fleet = Fleet::start().await;
    let balancer = Balancer::start(&fleet).await;
    let house = balancer.restaurant(&fleet).await;
    let mut stream = Stream::open(&house.owner, &house.id, "").await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    for name in ["Ann", "Ben", "Cleo"] {
        house.guest(name, 2).await;
        assert_eq!(stream.frame().await["data"]["guestName"], name);
    }
    let last_id = stream.last_id.clone().unwrap();

    let dying = number(&stream.connect);
    fleet.workers[dying].kill();
    while stream.next().await.is_some() {}
    house.guest("Missed", 2).await;
    let mut back = Stream::resume(&house.owner, &house.id, "", &last_id).await;
    let alive = number(&back.connect);
    assert_ne!(alive, dying);
    assert_eq!(back.connect["resumed"], true);
    let missed = back.frame().await;
    assert_eq!(
        (&missed["seq"], &missed["data"]["guestName"]),
        (&json!(4), &json!("Missed"))
    );
    house.guest("Live", 2).await;
    assert_eq!(back.frame().await["seq"], 5);

    // The worker is not left talking to nobody.
    let worker = fleet.client(fleet.workers[alive].addr());
    assert_eq!(worker.metric("qtable_sessions ").await, 1.0);
    drop(back);
    until("the stream to end at the worker", DEADLINE, async || {
        (worker.metric("qtable_sessions ").await == 0.0).then_some(())
    })
    .await;
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

/// A request that may have been done is not done again, unless it may be done twice. Two workers
/// are played that take every request and die of it.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_may_be_repeated_is_sent_twice() {
    for (method, times) in [("GET", 2), ("PUT", 2), ("POST", 1), ("PATCH", 1)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let mut workers = Vec::new();
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            workers.push(listener.local_addr().unwrap());
            let taken = Arc::clone(&taken);
            tokio::spawn(async move {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    heard(&mut stream, "\r\n\r\n").await;
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let balancer = Balancer::before(&workers);
        let address = balancer.address;
        until("the balancer to listen", DEADLINE, async || {
            TcpStream::connect(address).await.ok()
        })
        .await;
        let request = format!(
            "{method} /restaurants/x/guests HTTP/1.1\r\nHost: {address}\r\n\
             Connection: close\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = raw(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{method}: {answer}");
        assert_eq!(taken.load(Ordering::SeqCst), times, "{method}");
    }
}

/// Reads until these words have come.
async fn heard(stream: &mut TcpStream, words: &str) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    while !text.contains(words) {
        let count = tokio::time::timeout(DEADLINE, stream.read(&mut bytes))
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {words:?}; heard {text:?}"))
            .unwrap();
        assert!(count > 0, "the connection ended after {text:?}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    text
}

/// Sends bytes as they are and reads the answer to its end.
async fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

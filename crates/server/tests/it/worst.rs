//! The worst of each kind that a stranger can send, to every route: it costs a small multiple of
//! its size, the answer is short, and the worker answers others meanwhile.

use std::fmt::Write;

use reqwest::Method;
use serde_json::{Value, json};
use server::routes::routes;
use testkit::process::Process;
use testkit::wait::{DEADLINE, until};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::support::raw::Raw;
use crate::support::{Client, Memory, Reply, Restaurant, Socket, TestApp};

/// Beside a multiple of what is sent: what a worker needs for any request, and what an allocator
/// keeps.
const SLACK: u64 = 6 * 1024 * 1024;

/// So many times its size a request may cost.
const MULTIPLE: u64 = 8;

/// The longest answer that is an error, in bytes.
const ANSWER: usize = 16 * 1024;

/// Routes for which a body of fields that nobody knows is in order, or that say of each change by
/// itself that it was not made.
const SILENT: [&str; 4] = [
    "/realtime/tickets",
    "/restaurants/{rid}",
    "/restaurants/{rid}/batch-update",
    "/restaurants/{rid}/sync/batch",
];

/// Every list of every request.
const LISTS: [&str; 19] = [
    "tags",
    "dietaryRestrictions",
    "tableIds",
    "operations",
    "guests",
    "tables",
    "reservations",
    "modifierGroups",
    "dietary",
    "allergens",
    "windows",
    "categories",
    "dishes",
    "settings.openingHours",
    "settings.hoursExceptions",
    "settings.pauses",
    "settings.turnTimes",
    "settings.sections",
    "settings.joinableGroups",
];

/// A worker of one thread, as a process of its own.
struct Bench {
    app: TestApp,
    worker: Process,
    house: Restaurant,
    memory: Memory,
}

impl Bench {
    async fn start() -> Self {
        let app = TestApp::with(0, &[]).await;
        let (worker, client) = app.process(&[("LOG_FORMAT", "json")]).await;
        let house = Restaurant::of(&client).await;
        let memory = Memory::of(&worker);
        Self {
            app,
            worker,
            house,
            memory,
        }
    }

    /// Sends something while somebody else asks how the worker is, and looks at what it cost.
    async fn send(&self, what: &str, request: Request) -> Reply {
        let size = u64::try_from(request.bytes()).unwrap();
        let owner = &self.house.owner;
        let headers = request.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let sent = owner.send_raw(request.method, &request.path, request.body, &headers);
        let both = async { tokio::join!(sent, owner.get("/health/live")) };
        let ((reply, live), growth) = self.memory.growth(both).await;
        live.expect(200);
        let most = MULTIPLE * size + SLACK;
        assert!(growth <= most, "{what}: {size} bytes cost {growth}");
        if reply.status >= 400 {
            assert!(reply.status < 500, "{what}: {}", reply.text);
            let length = reply.text.len();
            assert!(length <= ANSWER, "{what}: an answer of {length} bytes");
            let says = |name: &str| reply.body[name].is_string();
            assert!(says("error") && says("code"), "{what}: {}", reply.text);
        }
        reply
    }

    async fn finish(mut self) {
        self.worker.terminate();
        assert!(self.worker.wait(DEADLINE).await.success());
        self.app.finish().await;
    }
}

struct Request {
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
    headers: Vec<(&'static str, String)>,
}

impl Request {
    fn new(method: &Method, path: impl Into<String>) -> Self {
        Self {
            method: method.clone(),
            path: path.into(),
            body: None,
            headers: Vec::new(),
        }
    }

    fn with(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", kind)
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(_, value)| value.len());
        self.path.len() + self.body.as_ref().map_or(0, Vec::len) + headers.sum::<usize>()
    }
}

/// A list that is about so long.
fn list(entry: &str, bytes: usize) -> String {
    format!("[{}]", vec![entry; bytes / (entry.len() + 1) + 1].join(","))
}

/// An object with every list, all together about so long.
fn lists(entry: &str, bytes: usize) -> String {
    let (mut body, mut settings) = (String::new(), String::new());
    for name in LISTS {
        let list = list(entry, bytes / LISTS.len());
        match name.strip_prefix("settings.") {
            Some(name) => write!(settings, "\"{name}\":{list},").unwrap(),
            None => write!(body, "\"{name}\":{list},").unwrap(),
        }
    }
    format!(
        "{{{body}\"settings\":{{{}}}}}",
        settings.trim_end_matches(',')
    )
}

/// The worst bodies, each about so long.
fn bodies(bytes: usize) -> Vec<(&'static str, String)> {
    let key = "k".repeat(bytes * 3 / 4);
    let rest = bytes / 4;
    let keys = (0..bytes / 12).map(|number| format!("\"k{number}\":0"));
    let tree = list("{\"\":0}", bytes);
    let id = Uuid::from_u128(42);
    let (name, escapes) = ("x".repeat(bytes / 3), "\\u0041".repeat(bytes / 18));
    let texts = |text: &str| {
        format!("{{\"guestName\":\"{text}\",\"email\":\"{text}\",\"password\":\"{text}\"}}")
    };
    vec![
        (
            "a long name over NULs",
            format!("{{\"{key}\":{}}}", list("\"\\u0000\"", rest)),
        ),
        (
            "a long name over a list and one NUL",
            format!("{{\"{key}\":{},\"x\":\"\\u0000\"}}", list("\"\"", rest)),
        ),
        ("NULs", lists("\"\\u0000\"", bytes)),
        ("empty texts", lists("\"\"", bytes)),
        ("empty objects", lists("{}", bytes)),
        ("objects with a field", lists("{\"\":0}", bytes)),
        ("empty lists", lists("[]", bytes)),
        ("ids", lists(&format!("\"{id}\""), bytes)),
        ("a list of objects", list("{}", bytes)),
        ("a tree that nobody reads", format!("{{\"x\":{tree}}}")),
        (
            "trees in the place of plain values",
            format!("{{\"tableNumber\":{tree},\"name\":{tree},\"guestName\":{tree}}}"),
        ),
        (
            "a tree in a change",
            format!(
                "{{\"transactionId\":\"{id}\",\"restaurantId\":\"{id}\",\"operations\":[\
                 {{\"clientId\":\"c\",\"op\":\"create\",\"entity\":\"guest\",\"data\":{{\"x\":{tree}}}}}]}}"
            ),
        ),
        (
            "trees in hours and rows",
            format!(
                "{{\"settings\":{{\"openingHours\":[{{\"weekday\":\"friday\",\"x\":{0}}}]}},\
                 \"dishes\":[{{\"x\":{0}}}]}}",
                list("[]", bytes / 2)
            ),
        ),
        ("depth", "[".repeat(bytes)),
        (
            "depth in a field",
            format!(
                "{{\"x\":{}{}}}",
                "[".repeat(bytes / 2),
                "]".repeat(bytes / 2)
            ),
        ),
        ("objects in objects", "{\"a\":".repeat(bytes / 5)),
        (
            "many names",
            format!("{{{}}}", keys.collect::<Vec<_>>().join(",")),
        ),
        (
            "one name, often",
            format!("{{{}0}}", "\"partySize\":1,".repeat(bytes / 14)),
        ),
        (
            "a long number",
            format!("{{\"partySize\":{}}}", "9".repeat(bytes)),
        ),
        ("long texts", texts(&name)),
        ("escapes", texts(&escapes)),
        (
            "a long word",
            format!("{{\"status\":\"{name}\",\"role\":\"{name}\",\"op\":\"{name}\"}}"),
        ),
    ]
}

/// A path of the route in a restaurant; other ids are of things that do not exist.
fn path(pattern: &str, restaurant: &str) -> String {
    let mut path = pattern.replace("{rid}", restaurant);
    while let Some((before, rest)) = path.split_once('{') {
        let (_, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", Uuid::from_u128(42));
    }
    path
}

/// All routes, save those that end the login.
fn targets(house: &Restaurant) -> Vec<(Method, &'static str, String)> {
    let table = routes();
    let all = table.list().map(|(method, pattern, _)| {
        // The server's type and the client's are of different versions of one crate.
        let method = Method::from_bytes(method.as_str().as_bytes()).unwrap();
        (method, pattern, path(pattern, &house.id))
    });
    all.filter(|(_, pattern, _)| *pattern != "/auth/logout")
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_bodies_to_every_route() {
    const BYTES: usize = 64 * 1024;
    let bench = Bench::start().await;
    let bodies = bodies(BYTES);
    for (method, pattern, path) in targets(&bench.house) {
        if method == Method::GET || method == Method::DELETE {
            continue;
        }
        for (name, body) in &bodies {
            let what = format!("{name} to {method} {pattern}");
            let request =
                Request::new(&method, path.clone()).with("application/json", body.clone());
            let reply = bench.send(&what, request).await;
            // Nothing of it is done. Who reads no body, or finds nothing to do in it, says nothing.
            assert!(
                reply.status >= 400 || SILENT.contains(&pattern),
                "{what}: {}",
                reply.status
            );
        }
    }
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_bodies_to_those_who_read_most() {
    const BYTES: usize = 1024 * 1024 - 4096;
    let bench = Bench::start().await;
    let house = &bench.house;
    let bodies = bodies(BYTES);
    for path in [
        "/auth/login".to_owned(),
        house.path("/guests"),
        house.path("/atomic"),
        house.path("/sync/batch"),
        house.path("/batch-update"),
        house.path("/menu/import"),
    ] {
        for (name, body) in &bodies {
            let request = Request::new(&Method::POST, &path).with("application/json", body.clone());
            bench.send(&format!("{name} to {path}"), request).await;
        }
    }
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_refused_where_they_end_and_the_first_faults_are_told() {
    let bench = Bench::start().await;
    let house = &bench.house;
    let post = async |path: &str, body: String| {
        let request = Request::new(&Method::POST, house.path(path)).with("application/json", body);
        bench.send(path, request).await
    };
    for (path, name) in [
        ("/guests", "tags"),
        ("/guests", "dietaryRestrictions"),
        ("/atomic", "operations"),
    ] {
        for entry in ["\"\"", "{}"] {
            let id = Uuid::now_v7();
            let list = vec![entry; 340_000].join(",");
            let body = format!("{{\"transactionId\":\"{id}\",\"{name}\":[{list}]}}");
            let reply = post(path, body).await;
            let first = if name == "operations" || entry == "\"\"" {
                name.to_owned()
            } else {
                format!("{name}[0]")
            };
            assert_eq!(reply.fields(), [first.as_str()], "{}", reply.text);
            reply.expect_error(422, "invalid");
        }
    }
    // As many as there may be, all of them wrong.
    let operations = vec!["{}"; 100].join(",");
    let body = format!(
        "{{\"transactionId\":\"{}\",\"operations\":[{operations}]}}",
        Uuid::now_v7()
    );
    let refused = post("/atomic", body).await.expect_error(422, "invalid");
    assert_eq!(
        (refused["items"].as_array().unwrap().len(), &refused["more"]),
        (10, &json!(90))
    );
    assert_eq!(
        refused["error"],
        "100 of 100 changes cannot be made, so none was. The first 10 are named."
    );
    let nuls = format!("{{\"x\":{}}}", list("\"\\u0000\"", 9 * 400 - 1));
    let refused = post("/guests", nuls).await.expect_error(422, "invalid");
    assert_eq!(
        (
            refused["fields"].as_array().unwrap().len(),
            &refused["more"]
        ),
        (10, &json!(390))
    );
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_files() {
    const BYTES: usize = 16 * 1024 * 1024 - 4096;
    let bench = Bench::start().await;
    let path = bench.house.path("/menu/import");
    let wide = "a,".repeat(BYTES / 2);
    let rows = format!("dishName\n{}", "x\n".repeat(BYTES / 2 - 8));
    let cell = format!("dishName\n\"{}", "x".repeat(BYTES - 16));
    let line = format!("dishName\n{}", ",".repeat(BYTES - 16));
    let modifiers = format!(
        "dishName,modifierGroups\n{}",
        "x,\"[{\"\"\"\":0}]\"\n".repeat(9_000)
    );
    let name = format!("dishName,{}\nx,x\n", "x".repeat(BYTES - 32));
    for (what, file) in [
        ("columns", wide),
        ("rows", rows),
        ("a cell", cell),
        ("separators", line),
        ("modifiers", modifiers),
        ("a name", name),
    ] {
        let request = Request::new(&Method::POST, &path).with("text/csv", file);
        bench.send(what, request).await.expect_error(422, "invalid");
    }
    let objects = list("{\"\":0}", BYTES - 64);
    let text = "x".repeat(BYTES - 128);
    for (what, file) in [
        ("rows of objects", format!("{{\"dishes\":{objects}}}")),
        (
            "categories",
            format!("{{\"dishes\":[],\"categories\":{objects}}}"),
        ),
        ("a row", format!("{{\"dishes\":[{{\"x\":{objects}}}]}}")),
        (
            "a list in a row",
            format!("{{\"dishes\":[{{\"allergens\":{objects}}}]}}"),
        ),
        (
            "the name of a category",
            format!("{{\"dishes\":[{{\"dishName\":\"x\",\"category\":\"{text}\"}}]}}"),
        ),
        (
            "a name over NULs",
            format!(
                "{{\"dishes\":[],\"{}\":{}}}",
                &text[..BYTES / 2],
                list("\"\\u0000\"", BYTES / 2 - 128)
            ),
        ),
    ] {
        let request = Request::new(&Method::POST, &path).with("application/json", file);
        bench.send(what, request).await.expect_error(422, "invalid");
    }
    // Every row is at fault, and only so many are told.
    let rows = format!("dishName,currency\n{}", ",EUR\n".repeat(9_000));
    let request = Request::new(&Method::POST, &path).with("text/csv", rows);
    let refused = bench
        .send("bad rows", request)
        .await
        .expect_error(422, "invalid");
    assert_eq!(
        (refused["items"].as_array().unwrap().len(), &refused["more"]),
        (10, &json!(8_990))
    );
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_heads_to_every_route() {
    const BYTES: usize = 30_000;
    let bench = Bench::start().await;
    let fill = |part: &str, bytes: usize| part.repeat(bytes / part.len());
    let queries = [
        fill("&", BYTES),
        fill("a=&", BYTES),
        format!("q={}", fill("%00", BYTES)),
        fill("q=%00&", 7_000),
        format!("status={}", fill("waiting,", 7_000)),
        format!("types={}", fill("guest_updated,", 7_000)),
        format!("cursor={}", fill("x", 7_000)),
        format!("{}=%00", fill("k", 7_000)),
    ];
    let position = format!("\"{}:1\",", Uuid::from_u128(42));
    let headers = [
        ("if-match", fill("\"1\",", BYTES)),
        ("if-none-match", fill(&position, BYTES)),
        ("if-none-match", fill(",", BYTES)),
        ("x-min-seq", fill(&position, BYTES)),
        ("last-event-id", fill("x", BYTES)),
        ("sec-websocket-protocol", fill("bearer,", BYTES)),
        ("x-forwarded-for", fill("1.1.1.1,", BYTES)),
        ("accept-encoding", fill("a,", BYTES)),
        ("accept-language", fill("a,", BYTES)),
        ("accept", fill("a/a,", BYTES)),
        ("cookie", fill("a=a;", BYTES)),
        ("traceparent", fill("0", BYTES)),
        ("tracestate", fill("a=a,", BYTES)),
        ("idempotency-key", fill("k", BYTES)),
        ("x-request-id", fill("k", BYTES)),
        ("user-agent", fill("k", BYTES)),
        ("accept-encoding", fill("a,", 100_000)),
    ];
    for (method, pattern, path) in targets(&bench.house) {
        if method == Method::GET {
            // Some write a document when they are first asked.
            bench.house.owner.get(&path).await;
            for query in &queries {
                let what = format!("{:.40} to {pattern}", query);
                let request = Request::new(&method, format!("{path}?{query}"));
                bench.send(&what, request).await;
            }
        }
        if method == Method::GET || method == Method::DELETE {
            for (name, value) in &headers {
                let what = format!("{name} to {method} {pattern}");
                let request = Request::new(&method, path.clone()).header(name, value.as_str());
                bench.send(&what, request).await;
            }
        }
    }
    let forged = bench
        .house
        .owner
        .with_token(&format!("{}.e30.", fill("a", BYTES)));
    forged
        .get(&bench.house.path("/guests"))
        .await
        .expect_error(401, "unauthenticated");
    for segment in ["x", "/", "x/", "%00", "%e2%80%ae"] {
        let path = format!("/{}", fill(segment, BYTES));
        let request = Request::new(&Method::GET, &path);
        bench
            .send(segment, request)
            .await
            .expect_error(404, "not_found");
    }
    // What is logged of a path that is not there is short, and orders no terminal about.
    let lines = bench.worker.output();
    let longest = lines.lines().map(str::len).max().unwrap();
    assert!(longest < 2048, "a line of {longest} bytes");
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_frames() {
    let bench = Bench::start().await;
    let owner = &bench.house.owner;
    let mut socket = Socket::open(owner, &bench.house.id, "").await;
    let bytes = 16 * 1024 - 128;
    let ping = |more: String| format!("{{\"x\":{more},\"type\":\"ping\"}}");
    for (said, heard) in [
        (ping(list("[]", bytes)), "pong"),
        (ping(list("{\"\":0}", bytes)), "pong"),
        (ping(format!("\"{}\"", "x".repeat(bytes))), "pong"),
        ("[".repeat(bytes), "error"),
        (format!("{{\"type\":\"{}\"}}", "x".repeat(bytes)), "error"),
        (
            format!("{{\"type\":\"auth\",\"token\":\"{}\"}}", "x".repeat(bytes)),
            "error",
        ),
        (
            format!("{{\"type\":\"auth\",\"token\":{}}}", list("{}", bytes)),
            "error",
        ),
    ] {
        let size = u64::try_from(said.len()).unwrap();
        let ask = async {
            socket.send(Message::text(said)).await;
            socket.frame_of(heard).await
        };
        let (frame, growth): (Value, u64) = bench.memory.growth(ask).await;
        assert!(
            growth <= MULTIPLE * size + SLACK,
            "{size} bytes cost {growth}"
        );
        assert!(frame.to_string().len() < 1024, "{frame}");
    }
    bench.finish().await;
}

/// Who announces much and sends little.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_costs_nothing() {
    const CONNECTIONS: usize = 40;
    let bench = Bench::start().await;
    let (owner, path) = (&bench.house.owner, bench.house.path("/menu/import"));
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\n\
         content-length: {}\r\n\r\nd",
        owner.token.as_ref().unwrap(),
        server::extract::FILE_LIMIT,
    );
    let before = bench.memory.asked_for();
    let mut open: Vec<Raw> = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut raw = Raw::connect(owner).await;
        raw.say(&head).await;
        open.push(raw);
    }
    under_way(owner, CONNECTIONS).await;
    let growth = bench.memory.asked_for().saturating_sub(before);
    assert!(growth < 64 * 1024 * 1024, "{growth} bytes were asked for");
    drop(open);
    bench.finish().await;
}

/// Waits until so many requests are being answered.
async fn under_way(client: &Client, count: usize) {
    until("the requests to be under way", DEADLINE, async || {
        let now = client.metric("qtable_http_requests_in_flight").await;
        // This one, too.
        (now as usize > count).then_some(())
    })
    .await;
}

/// A body that comes in the smallest parts there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_of_one_byte() {
    let bench = Bench::start().await;
    let owner = &bench.house.owner;
    let body = format!(
        "{{\"guestName\":\"Ann\",\"partySize\":2,\"x\":\"{}\"}}",
        "x".repeat(60_000)
    );
    let mut sent = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n",
        bench.house.path("/guests"),
        owner.token.as_ref().unwrap(),
    );
    for byte in body.chars() {
        write!(sent, "1\r\n{byte}\r\n").unwrap();
    }
    sent.push_str("0\r\n\r\n");
    let size = u64::try_from(sent.len()).unwrap();
    let mut raw = Raw::connect(owner).await;
    let answer = async {
        raw.say(&sent).await;
        raw.head().await
    };
    let (head, growth) = bench.memory.growth(answer).await;
    assert_eq!(head.status, 201);
    assert!(
        growth <= MULTIPLE * size + SLACK,
        "{size} bytes cost {growth}"
    );
    bench.finish().await;
}

//! The worst of each kind that a stranger can send, to every route: it costs a small multiple of
//! its size, the answer is short, and the worker answers others meanwhile.

mod bodies;
mod files;
mod heads;
mod parts;

use reqwest::Method;
use server::routes;
use testkit::process::Process;
use testkit::wait::DEADLINE;
use uuid::Uuid;

use crate::support::{Memory, Reply, Restaurant, TestApp};

/// Beside a multiple of what is sent: what a worker needs for any request, and what an allocator
/// keeps.
const SLACK: u64 = 6 * 1024 * 1024;

/// So many times its size a request may cost.
const MULTIPLE: u64 = 8;

/// The longest answer that is an error, in bytes.
const ANSWER: usize = 16 * 1024;

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
    let all = table.list().map(|row| {
        // The server's type and the client's are of different versions of one crate.
        let method = Method::from_bytes(row.method.as_str().as_bytes()).unwrap();
        (method, row.path, path(row.path, &house.id))
    });
    all.filter(|(_, pattern, _)| *pattern != "/auth/logout")
        .collect()
}

//! Traces, as a collector receives them from the program itself.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use prost::Message;
use serde_json::{Value, json};
use testkit::process::Process;
use testkit::wait::{DEADLINE, until};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

use crate::support::app::database;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector: takes everything.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    keys: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let collector = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let collector = collector.clone();
                tokio::spawn(async move { collector.serve(BufStream::new(stream)).await });
            }
        });
        address
    }

    /// Answers the requests of one connection until it is closed.
    async fn serve(&self, mut stream: BufStream<TcpStream>) {
        loop {
            let mut headers = HashMap::new();
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap_or(0) > 2 {
                if let Some((name, value)) = line.trim().split_once(": ") {
                    headers.insert(name.to_lowercase(), value.to_owned());
                }
                line.clear();
            }
            let Some(length) = headers.get("content-length") else {
                return;
            };
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).await.unwrap();
            let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            let scopes = request
                .resource_spans
                .into_iter()
                .flat_map(|of| of.scope_spans);
            self.spans
                .lock()
                .extend(scopes.flat_map(|scope| scope.spans));
            self.keys.lock().extend(headers.remove("api-key"));
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            stream.flush().await.unwrap();
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_followed_into_its_transaction() {
    let collector = Collector::default();
    let address = collector.start().await;
    let database = database().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_qtable"));
    command
        .arg("serve")
        .env_clear()
        .env("DATABASE_URL", &database.url)
        .env("SECRET_KEY", "a key for tests, long enough for anybody")
        .env("ENVIRONMENT", "test")
        .env("LOG_FORMAT", "json")
        .env("SHUTDOWN_GRACE_SECONDS", "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"))
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of the vendor");
    let mut worker = Process::start(command);
    let client = reqwest::Client::new();
    let base = format!("http://{}/api/v1", worker.addr());
    until("the worker to be ready", DEADLINE, async || {
        let answer = client
            .get(format!("{base}/health/ready"))
            .send()
            .await
            .ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    let house: Value = client
        .post(format!("{base}/auth/register"))
        .json(&json!({
            "restaurantName": "Chez Nous", "email": "ada@example.com", "password": "long enough",
            "firstName": "Ada", "lastName": "Byron",
        }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let rid = house["restaurant_id"].as_str().unwrap();
    let made = client
        .post(format!("{base}/restaurants/{rid}/guests"))
        .bearer_auth(house["access_token"].as_str().unwrap())
        .header("traceparent", format!("00-{TRACE}-{PARENT}-00"))
        .json(&json!({"guestName": "Ann", "partySize": 2}))
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    // What is left is sent on the way out.
    worker.terminate();
    assert!(worker.wait(DEADLINE).await.success());

    let spans = collector.spans.lock().clone();
    let request = spans
        .iter()
        .find(|span| hex(&span.parent_span_id) == PARENT)
        .unwrap_or_else(|| panic!("{spans:#?}"));
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(request.name, "POST /api/v1/restaurants/{rid}/guests");
    let write = spans
        .iter()
        .find(|span| span.name == "guests.create")
        .unwrap_or_else(|| panic!("{spans:#?}"));
    assert_eq!(
        (&write.trace_id, &write.parent_span_id),
        (&request.trace_id, &request.span_id)
    );
    assert!(
        collector
            .keys
            .lock()
            .iter()
            .all(|key| key == "of the vendor")
    );
    // The log names the trace, and nothing of the guest is in either.
    let log = worker.output();
    assert!(log.contains(TRACE), "{log}");
    assert!(!log.contains("Ann") && !format!("{spans:?}").contains("Ann"));
}

//! What comes in parts: frames of sockets, bodies that are announced, bodies in chunks.

use std::fmt::Write;

use serde_json::Value;
use testkit::wait::{DEADLINE, until};
use tokio_tungstenite::tungstenite::Message;

use super::{Bench, MULTIPLE, SLACK, list};
use crate::support::raw::Raw;
use crate::support::{Client, Socket};

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
    let bench = Bench::start().await;
    let (owner, path) = (&bench.house.owner, bench.house.path("/menu/import"));
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\n\
         content-length: {}\r\n\r\nd",
        owner.token.as_ref().unwrap(),
        server::FILE_LIMIT,
    );
    let before = bench.memory.asked_for();
    let mut open: Vec<Raw> = Vec::new();
    for _ in 0..40 {
        let mut raw = Raw::connect(owner).await;
        raw.say(&head).await;
        open.push(raw);
    }
    under_way(owner, 40.0).await;
    let growth = bench.memory.asked_for().saturating_sub(before);
    assert!(growth < 64 * 1024 * 1024, "{growth} bytes were asked for");
    drop(open);
    bench.finish().await;
}

/// Waits until so many requests are being answered.
async fn under_way(client: &Client, count: f64) {
    until("the requests to be under way", DEADLINE, async || {
        let now = client.metric("qtable_http_requests_in_flight").await;
        // This one, too.
        (now > count).then_some(())
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

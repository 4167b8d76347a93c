//! Clients that say nothing without end.

use testkit::wait::DEADLINE;
use tokio::time::timeout;

use crate::support::raw::{CLOSE, PING, PONG, Raw, TEXT, frame, handshake, upgrade};
use crate::support::{Client, Restaurant, TestApp};

/// More than a second's worth, even where two seconds begin in the middle of them.
const FLOOD: usize = 2000;

/// Says the same until the worker has enough of it, which it tells by a code and a reason.
async fn flooded(mut raw: Raw, first: Vec<u8>, again: Vec<u8>) -> (u16, String) {
    raw.say(first).await;
    raw.say(again.repeat(FLOOD)).await;
    loop {
        let (kind, payload) = timeout(DEADLINE, raw.any_frame()).await.unwrap();
        if kind == CLOSE {
            let (code, reason) = payload.split_first_chunk().unwrap();
            let reason = String::from_utf8(reason.to_vec()).unwrap();
            return (u16::from_be_bytes(*code), reason);
        }
    }
}

async fn open(client: &Client, hello: &str) -> Raw {
    let mut raw = Raw::connect(client).await;
    raw.say(hello).await;
    raw.begin().await;
    raw
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_every_kind_are_counted() {
    let begin = || frame(0x01, "");
    for transport in ["bare", "actix-ws"] {
        let app = TestApp::with(1, &[("SOCKET_TRANSPORT", transport)]).await;
        let house = Restaurant::new(&app).await;
        let watch = format!("GET /ws?restaurant_id={}", house.id);
        let hellos = [
            upgrade(&app.client(0), &watch, ""),
            handshake(&house.owner, &house.id),
        ];
        for hello in &hellos {
            for (what, first, again, code, reason) in [
                ("pongs", vec![], frame(PONG, ""), 4400, "500 frames"),
                (
                    "long pongs",
                    vec![],
                    frame(PONG, "x".repeat(125)),
                    4400,
                    "500 frames",
                ),
                (
                    "empty continuations",
                    begin(),
                    frame(0x00, ""),
                    4400,
                    "16 KiB",
                ),
                (
                    "tiny continuations",
                    begin(),
                    frame(0x00, "x"),
                    4400,
                    "16 KiB",
                ),
                ("messages in a message", begin(), begin(), 4400, ""),
                (
                    "pings",
                    vec![],
                    frame(PING, "x".repeat(125)),
                    4429,
                    "20 messages",
                ),
                (
                    "empty messages",
                    vec![],
                    frame(TEXT, ""),
                    4429,
                    "20 messages",
                ),
            ] {
                let raw = open(&app.client(0), hello).await;
                let (found, said) = flooded(raw, first, again).await;
                assert_eq!(found, code, "{transport}: {what}: {said}");
                assert!(said.contains(reason), "{transport}: {what}: {said}");
            }
        }
        // Nobody else noticed.
        house.guest("Ann", 2).await;
        app.finish().await;
    }
}

/// A ping is answered by one pong of the same length, and no more than twenty in a second are.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_no_more_than_questions() {
    for transport in ["bare", "actix-ws"] {
        let app = TestApp::with(1, &[("SOCKET_TRANSPORT", transport)]).await;
        let house = Restaurant::new(&app).await;
        let mut raw = Raw::open(&house.owner, &house.id).await;
        let asked = frame(PING, "still there?").repeat(FLOOD);
        raw.say(&asked).await;
        let answered = raw.rest().await;
        let pongs = answered
            .windows(14)
            .filter(|some| some.ends_with(b"still there?"));
        // Of two seconds at most.
        assert!((20..=60).contains(&pongs.count()), "{transport}");
        app.finish().await;
    }
}

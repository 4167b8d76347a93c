//! A stream of server-sent events that follows a restaurant.

use std::collections::VecDeque;

use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Client, frames};

/// An open stream, and its first frame.
pub struct Stream {
    answer: reqwest::Response,
    unread: Vec<u8>,
    messages: VecDeque<Message>,
    /// As a browser would: of the last message that had one.
    pub last_id: Option<String>,
    /// How long the browser would wait, in milliseconds.
    pub retry: Option<u64>,
    pub headers: HeaderMap,
    pub connect: Value,
    /// It follows a thing by itself.
    is_own: bool,
}

struct Message {
    id: Option<String>,
    text: String,
}

impl Stream {
    /// Opens a stream with the client's token. `query` is added to the address.
    pub async fn open(client: &Client, restaurant: &str, query: &str) -> Self {
        let path = format!("/api/v1/realtime/events?restaurant_id={restaurant}{query}");
        Self::open_at(client, &path, &[]).await.unwrap()
    }

    /// The same with the id of the last message.
    pub async fn resume(client: &Client, restaurant: &str, query: &str, last_id: &str) -> Self {
        let path = format!("/api/v1/realtime/events?restaurant_id={restaurant}{query}");
        let headers = [("last-event-id", last_id)];
        Self::open_at(client, &path, &headers).await.unwrap()
    }

    /// Opens a stream; refused ones give the status and body.
    pub async fn open_at(
        client: &Client,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, Value)> {
        let mut request = client.request(reqwest::Method::GET, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        if answer.status() != 200 {
            let status = answer.status().as_u16();
            return Err((status, answer.json().await.unwrap_or_default()));
        }
        let mut stream = Self {
            headers: answer.headers().clone(),
            answer,
            unread: Vec::new(),
            messages: VecDeque::new(),
            last_id: None,
            retry: None,
            connect: Value::Null,
            is_own: false,
        };
        stream.connect = stream.frame().await;
        assert_eq!(stream.connect["type"], "restaurant_connect");
        Ok(stream)
    }

    /// It follows a thing by itself: events have a form of their own.
    pub fn own(mut self) -> Self {
        self.is_own = true;
        self
    }

    /// The next frame; who is here is left out.
    pub async fn frame(&mut self) -> Value {
        let text = self.next().await.expect("the stream ended");
        serde_json::from_str(&text).unwrap()
    }

    /// The next frame of a type; others are dropped.
    pub async fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next frame's bytes, or `None` at the end.
    pub async fn next(&mut self) -> Option<String> {
        // One deadline for all that is passed over.
        let end = Instant::now() + testkit::wait::DEADLINE;
        loop {
            if let Some(message) = self.messages.pop_front() {
                self.last_id = message.id.or(self.last_id.take());
                if self.is_own {
                    frames::check_own(&message.text);
                } else {
                    frames::check(&message.text);
                }
                if message.text.starts_with("{\"type\":\"presence\"") {
                    continue;
                }
                return Some(message.text);
            }
            let chunk = timeout_at(end, self.answer.chunk())
                .await
                .expect("waited in vain for a message");
            // A connection that breaks is an end like any other.
            self.unread.extend(chunk.ok().flatten()?);
            self.parse();
        }
    }

    fn parse(&mut self) {
        while let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = self.unread.drain(..end + 2).collect();
            let block = String::from_utf8(block).unwrap();
            let (mut id, mut data) = (None, None);
            for line in block.lines().filter(|line| !line.is_empty()) {
                match line.split_once(": ").unwrap() {
                    ("id", value) => id = Some(value.to_owned()),
                    ("data", value) => data = Some(value.to_owned()),
                    ("retry", value) => self.retry = Some(value.parse().unwrap()),
                    _ => panic!("{line} is no field of a message"),
                }
            }
            if let Some(text) = data {
                self.messages.push_back(Message { id, text });
            }
        }
    }
}

//! A socket that follows a restaurant.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Client, frames};

/// An open socket, and its first frame.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub connect: Value,
    /// Frames of who is here come whenever they want; a test that is about something else does not
    /// hear them.
    hears_presence: bool,
    /// It follows a thing by itself.
    is_own: bool,
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    pub code: u16,
    pub reason: String,
}

impl Socket {
    /// Opens a socket with the client's token. `query` is added to the address (`&since=…`).
    pub async fn open(client: &Client, restaurant: &str, query: &str) -> Self {
        let headers = [(
            "authorization",
            format!("Bearer {}", client.token.as_ref().unwrap()),
        )];
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect::<Vec<_>>();
        let path = format!("/api/v1/realtime?restaurant_id={restaurant}{query}");
        Self::open_at(client, &path, &headers).await.unwrap()
    }

    /// Opens a socket, unless the worker is away or going.
    pub async fn try_open(client: &Client, restaurant: &str, query: &str) -> Option<Self> {
        let bearer = format!("Bearer {}", client.token.as_ref().unwrap());
        let path = format!("/api/v1/realtime?restaurant_id={restaurant}{query}");
        let request = request(client, &path, &[("authorization", &bearer)]);
        let (stream, _) = tokio_tungstenite::connect_async(request).await.ok()?;
        Self::begin(stream).await.ok()
    }

    /// Opens a socket; refused ones give the status and body.
    pub async fn open_at(
        client: &Client,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, Value)> {
        let request = request(client, path, headers);
        let answer = tokio_tungstenite::connect_async(request);
        let answer = timeout(testkit::wait::DEADLINE, answer).await;
        let stream = match answer.expect("waited in vain for the handshake") {
            Ok((stream, _)) => stream,
            Err(tungstenite::Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                return Err((
                    answer.status().as_u16(),
                    serde_json::from_slice(body).unwrap_or_default(),
                ));
            }
            Err(error) => panic!("no answer to the handshake: {error}"),
        };
        Ok(Self::begin(stream).await.unwrap())
    }

    async fn begin(stream: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<Self, Closed> {
        let mut socket = Self {
            stream,
            connect: Value::Null,
            hears_presence: false,
            is_own: false,
        };
        let first = socket.next().await?;
        socket.connect = serde_json::from_str(&first).unwrap();
        assert_eq!(socket.connect["type"], "restaurant_connect", "{first}");
        Ok(socket)
    }

    /// It follows a thing by itself: events have a form of their own.
    pub fn own(mut self) -> Self {
        self.is_own = true;
        self
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next frame, whatever it is about.
    pub async fn any_frame(&mut self) -> Value {
        self.hears_presence = true;
        let frame = self.frame().await;
        self.hears_presence = false;
        frame
    }

    /// The next frame's bytes.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Ok(text) => text,
            Err(closed) => panic!("the socket ended: {closed:?}"),
        }
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

    /// Who is here, as soon as it is what is waited for; other frames are dropped.
    pub async fn presence(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        self.hears_presence = true;
        let present = loop {
            let frame = self.frame_of("presence").await;
            if is_it(&frame) {
                break frame;
            }
        };
        self.hears_presence = false;
        present
    }

    /// The frames up to and including the event `seq`.
    pub async fn until(&mut self, seq: i64) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            let is_last = frame["seq"] == seq;
            frames.push(frame);
            if is_last {
                return frames;
            }
        }
    }

    /// How the server ends it; frames before that are dropped.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }

    /// The next frame's bytes, or how it ended.
    pub async fn next(&mut self) -> Result<String, Closed> {
        // One deadline for all that is passed over.
        let end = Instant::now() + testkit::wait::DEADLINE;
        loop {
            let message = timeout_at(end, self.stream.next())
                .await
                .expect("waited in vain for a frame");
            match message {
                Some(Ok(Message::Text(text))) => {
                    if self.is_own {
                        frames::check_own(&text);
                    } else {
                        frames::check(&text);
                    }
                    if self.hears_presence || !text.starts_with("{\"type\":\"presence\"") {
                        return Ok(text.as_str().to_owned());
                    }
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err(Closed {
                        code: close.code.into(),
                        reason: close.reason.as_str().to_owned(),
                    });
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => {
                    return Err(Closed {
                        code: 0,
                        reason: String::new(),
                    });
                }
                Some(Ok(_)) => {}
            }
        }
    }

    /// Says something.
    pub async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends a message as it is.
    pub async fn send(&mut self, message: Message) {
        // A server that has closed is noticed by whoever reads.
        let _sent = self.stream.send(message).await;
    }
}

fn request(
    client: &Client,
    path: &str,
    headers: &[(&str, &str)],
) -> tungstenite::http::Request<()> {
    let url = format!("ws://{}{path}", client.address);
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        let name = tungstenite::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

//! A socket that follows a restaurant.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Client;

/// An open socket, and its first frame.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub connect: Value,
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

    /// Opens a socket; refused ones give the status and body.
    pub async fn open_at(
        client: &Client,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, Value)> {
        let url = format!("ws://{}{path}", client.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name = tungstenite::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = match tokio_tungstenite::connect_async(request).await {
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
        let mut socket = Self {
            stream,
            connect: Value::Null,
        };
        socket.connect = socket.frame().await;
        assert_eq!(
            socket.connect["type"], "restaurant_connect",
            "{}",
            socket.connect
        );
        Ok(socket)
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
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
        loop {
            let message = timeout(testkit::wait::DEADLINE, self.stream.next())
                .await
                .expect("waited in vain for a frame");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
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

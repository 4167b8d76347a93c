//! A connection on which a test says bytes as no library would.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Client;

/// The first byte of a frame that is complete in itself.
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// A connection to a worker.
pub struct Raw {
    pub stream: TcpStream,
    unread: Vec<u8>,
}

/// The head of an answer, its lines in lower case.
#[derive(Debug)]
pub struct Head {
    pub status: u16,
    pub lines: Vec<String>,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.lines.iter();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Raw {
    pub async fn connect(client: &Client) -> Self {
        let stream = TcpStream::connect(client.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// An open socket, whose first frame has been read.
    pub async fn open(client: &Client, restaurant: &str) -> Self {
        let mut raw = Self::connect(client).await;
        raw.say(&handshake(client, restaurant)).await;
        raw.begin().await;
        raw
    }

    /// Reads the answer to a handshake, and the first frame.
    pub async fn begin(&mut self) {
        let head = self.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        assert_eq!(self.frame().await["type"], "restaurant_connect");
    }

    /// Says bytes, in one segment if the kernel likes.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // Who has been sent away notices when it reads.
        let _said = self.stream.write_all(bytes.as_ref()).await;
    }

    /// The head of an answer.
    pub async fn head(&mut self) -> Head {
        let end = loop {
            let end = self.unread.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break end;
            }
            assert!(self.read().await, "no answer: {:?}", self.unread);
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let lines = head.lines().skip(1).map(str::to_owned).collect();
        Head { status, lines }
    }

    /// So many bytes.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            assert!(self.read().await, "it ended: {:?}", self.unread);
        }
        self.unread.drain(..count).collect()
    }

    /// Everything until the worker hangs up.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.read().await {}
        std::mem::take(&mut self.unread)
    }

    /// The next frame of the worker: its first byte, and what is in it.
    pub async fn any_frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.bytes(2).await;
        let length = match head[1] {
            126 => u16::from_be_bytes(self.bytes(2).await.try_into().unwrap()).into(),
            127 => u64::from_be_bytes(self.bytes(8).await.try_into().unwrap()),
            short => short.into(),
        };
        let payload = self.bytes(usize::try_from(length).unwrap()).await;
        (head[0], payload)
    }

    /// The next text, as JSON; presence is left out.
    pub async fn frame(&mut self) -> Value {
        loop {
            let (kind, payload) = self.any_frame().await;
            assert_eq!(kind, TEXT, "{payload:?}");
            let frame: Value = serde_json::from_slice(&payload).unwrap();
            if frame["type"] != "presence" {
                return frame;
            }
        }
    }

    /// The code with which the worker ends it; frames before that are dropped.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let (CLOSE, payload) = self.any_frame().await {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }

    /// `false` when the worker has hung up.
    async fn read(&mut self) -> bool {
        let reading = self.stream.read_buf(&mut self.unread);
        let read = timeout(testkit::wait::DEADLINE, reading).await;
        read.expect("waited in vain for the worker").unwrap() > 0
    }
}

/// A request that asks for WebSocket.
pub fn upgrade(client: &Client, request: &str, headers: &str) -> String {
    let bearer = client.token.as_ref().map(|token| format!("Bearer {token}"));
    format!(
        "{request} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: {}\r\n{headers}\r\n",
        bearer.unwrap_or_default()
    )
}

/// The handshake of a socket that follows a restaurant.
pub fn handshake(client: &Client, restaurant: &str) -> String {
    let request = format!("GET /api/v1/realtime?restaurant_id={restaurant}");
    upgrade(client, &request, "")
}

/// A frame of a client, masked.
pub fn frame(kind: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let payload = payload.as_ref();
    let mut frame = header(kind, 0x80, payload.len());
    frame.extend(MASK);
    let masked = payload.iter().zip(MASK.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    frame
}

/// The beginning of a frame of such a length.
pub fn header(kind: u8, mask: u8, length: usize) -> Vec<u8> {
    let mut header = vec![kind];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => header.push(mask | short),
        (_, Ok(middle)) => {
            header.push(mask | 126);
            header.extend(middle.to_be_bytes());
        }
        _ => {
            header.push(mask | 127);
            header.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    header
}

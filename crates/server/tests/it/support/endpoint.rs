//! Something out there that takes what workers send: a collector of traces, a tracker of faults.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

/// Takes every request, and keeps it.
#[derive(Clone)]
pub struct Endpoint {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    /// By their names in small letters.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Endpoint {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let listening = endpoint.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let endpoint = listening.clone();
                tokio::spawn(async move { endpoint.serve(BufStream::new(stream)).await });
            }
        });
        endpoint
    }

    /// What has come so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().clone()
    }

    /// Answers the requests of one connection until it is closed.
    async fn serve(&self, mut stream: BufStream<TcpStream>) {
        loop {
            let mut first = String::new();
            let _length = stream.read_line(&mut first).await;
            let Some(path) = first.split(' ').nth(1) else {
                return;
            };
            let mut headers = HashMap::new();
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap_or(0) > 2 {
                if let Some((name, value)) = line.trim().split_once(": ") {
                    headers.insert(name.to_lowercase(), value.to_owned());
                }
                line.clear();
            }
            let length = headers.get("content-length").expect("a length");
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).await.unwrap();
            self.received.lock().push(Received {
                path: path.to_owned(),
                headers,
                body,
            });
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            stream.flush().await.unwrap();
        }
    }
}

//! A client of one worker.

use std::net::SocketAddr;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::app::Faults;

/// Somebody with a worker and perhaps a credential.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub token: Option<String>,
    http: reqwest::Client,
    faults: Faults,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as JSON; `null` when it is empty or something else.
    pub body: Value,
    pub text: String,
    request: String,
}

impl Client {
    pub fn new(address: SocketAddr, faults: Faults) -> Self {
        // What the library wants, even where there is no TLS.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        Self {
            address,
            token: None,
            // What hangs is a fault of its own, and is to be seen where it happens.
            http: reqwest::Client::builder()
                .read_timeout(2 * testkit::wait::DEADLINE)
                .build()
                .unwrap(),
            faults,
        }
    }

    /// The same client with a credential.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The number of a metric at this worker; 0 when it is not there.
    pub async fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").await.text;
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// The same credential at another worker.
    pub fn at(&self, other: &Self) -> Self {
        self.at_address(other.address)
    }

    /// The same credential wherever a worker listens.
    pub fn at_address(&self, address: SocketAddr) -> Self {
        Self {
            address,
            ..self.clone()
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None, &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// The same under a key.
    pub async fn post_once(&self, key: &str, path: &str, body: Value) -> Reply {
        self.send_once("POST", key, path, body).await
    }

    /// The same by another method.
    pub async fn send_once(&self, method: &str, key: &str, path: &str, body: Value) -> Reply {
        let headers = [("idempotency-key", key)];
        let method = method.parse().unwrap();
        self.send(method, path, Some(body), &headers).await
    }

    /// Posts, and hangs up once `until_done` is over, whatever has become of it.
    pub async fn send_and_hang_up(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
        until_done: impl AsyncFn(),
    ) {
        let body = body.to_string();
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{headers}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token.as_ref().unwrap(),
            body.len(),
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        until_done().await;
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let body = body.map(|body| body.to_string());
        let mut headers = headers.to_vec();
        if body.is_some()
            && !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("content-type", "application/json"));
        }
        self.send_raw(method, path, body.map(String::into_bytes), &headers)
            .await
    }

    /// The status of a POST, or `None` when the worker is not there or went away over it.
    pub async fn try_post(&self, path: &str, body: &Value) -> Option<u16> {
        let request = self.request(Method::POST, path).json(body);
        let answer = request.send().await.ok()?;
        Some(answer.status().as_u16())
    }

    /// A request with the credential.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self
            .http
            .request(method, format!("http://{}{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends bytes as they are.
    pub async fn send_raw(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = self.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let reply = Reply {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            request: format!("{method} {path}"),
        };
        if status >= 500 {
            self.faults
                .lock()
                .push(format!("{}: {status} {}", reply.request, reply.text));
        }
        reply
    }
}

impl Reply {
    /// The body, if the status is the one that is expected.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.request, self.text);
        self.body
    }

    /// Checks that it is an error in the one envelope, with this status and code.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}: {}",
            self.request,
            self.text
        );
        assert_eq!(self.body["status"], status, "{}", self.text);
        assert!(
            self.body["error"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{}",
            self.text
        );
        let id = self
            .headers
            .get("x-request-id")
            .map(|id| id.to_str().unwrap());
        assert!(id.is_some(), "{}: no X-Request-Id", self.request);
        assert_eq!(self.body["requestId"].as_str(), id, "{}", self.text);
        self.body
    }

    /// The fields that are at fault.
    pub fn fields(&self) -> Vec<&str> {
        let fields = self.body["fields"].as_array();
        fields
            .into_iter()
            .flatten()
            .filter_map(|fault| fault["field"].as_str())
            .collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

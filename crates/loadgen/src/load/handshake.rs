//! How a WebSocket begins.

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::worker::Worker;

/// The example of RFC 6455. A key proves only that the server speaks the protocol.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPTED: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The greatest head of an answer.
const LONGEST: usize = 16 << 10;

/// Asks for the upgrade. Returns what came after the answer.
///
/// # Errors
/// When it is refused, in the server's words.
pub(crate) async fn upgrade(
    stream: &mut TcpStream,
    worker: &Worker,
    path: &str,
    token: Option<&str>,
) -> anyhow::Result<Vec<u8>> {
    let credential = token.map_or(String::new(), |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{credential}\r\n",
        worker.authority
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::with_capacity(512);
    loop {
        let read = stream.read_buf(&mut bytes).await?;
        if let Some(length) = accepted(&bytes)? {
            bytes.drain(..length);
            return Ok(bytes);
        }
        anyhow::ensure!(read > 0, "closed during the handshake");
        anyhow::ensure!(bytes.len() < LONGEST, "an endless answer to the handshake");
    }
}

/// The length of the answer's head, once it is whole.
fn accepted(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).context("the handshake")? else {
        return Ok(None);
    };
    match response.code {
        Some(101) => {}
        code => bail!("{} to the handshake", code.unwrap_or(0)),
    }
    let accept = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("sec-websocket-accept"));
    anyhow::ensure!(
        accept.is_some_and(|accept| accept.value == ACCEPTED.as_bytes()),
        "the answer to the handshake is to somebody else's"
    );
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_is_taken_and_only_when_it_is_whole() {
        let right = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
             sec-websocket-accept: {ACCEPTED}\r\n\r\n"
        );
        let followed = format!("{right}\u{1}more");
        assert_eq!(accepted(followed.as_bytes()).unwrap(), Some(right.len()));
        let part = right.as_bytes().get(..right.len() - 1).unwrap();
        assert_eq!(accepted(part).unwrap(), None);
        accepted(right.replace("s3p", "xxx").as_bytes()).unwrap_err();
        let refused = accepted(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
        assert!(refused.unwrap_err().to_string().contains("401"));
    }
}

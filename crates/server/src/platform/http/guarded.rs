//! What the HTTP library answers by itself.
//!
//! A head that is no HTTP, one that is too large, one that does not come in time: there is no
//! request yet, so no application is asked. The library answers with a status and nothing else,
//! and ends the connection. Such an answer is the last thing that it writes, it is a few lines that
//! are always the same, and it has none of the headers that everything of ours has. So the
//! connection itself can tell it from all others, and puts the envelope in its place, with an id
//! and the headers that every answer has.
//!
//! This is the smallest place: reading heads a second time in front of the library would double
//! the work for every request, and the two would have to agree about what is HTTP.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderValue};
use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use uuid::Uuid;
use wire::{ErrorBody, ErrorCode};

use super::connection::part;
use crate::platform::errors::ApiError;
use crate::platform::middleware;
use crate::seen::metrics::Metrics;

/// The longest answer of the library's own, which is some hundred bytes.
const LONGEST: usize = 256;

const END: &[u8] = b"\r\n\r\n";

/// A connection on which the library's own answers are ours.
pub(super) struct Guarded {
    /// Until it is handed on.
    stream: Option<TcpStream>,
    metrics: Arc<Metrics>,
    /// What is written instead, as far as it is not yet.
    instead: Option<Bytes>,
    has_refused: bool,
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, metrics: Arc<Metrics>) -> Self {
        Self {
            stream: Some(stream),
            metrics,
            instead: None,
            has_refused: false,
        }
    }

    /// The bare connection.
    pub(super) fn stream(&self) -> Option<&TcpStream> {
        self.stream.as_ref()
    }

    /// The bare connection, for somebody else.
    pub(super) fn into_stream(mut self) -> io::Result<TcpStream> {
        self.stream.take().ok_or_else(gone)
    }

    fn bare(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(gone)
    }

    /// Writes what stands for an answer of the library's.
    fn poll_instead(&mut self, cx: &mut Context<'_>, mut left: Bytes) -> Poll<io::Result<()>> {
        while left.has_remaining() {
            match self.bare()?.poll_write(cx, &left) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => left.advance(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.instead = Some(left);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl Drop for Guarded {
    /// Whoever was refused may have sent more than was read, and is to get the answer all the same.
    fn drop(&mut self) {
        if !self.has_refused {
            return;
        }
        if let (Some(stream), Ok(runtime)) = (self.stream.take(), Handle::try_current()) {
            runtime.spawn(part(stream));
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.bare()?.poll_read(cx, into)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(left) = self.instead.take() {
            // The library comes again with the same bytes.
            ready!(self.poll_instead(cx, left))?;
            return Poll::Ready(Ok(bytes.len()));
        }
        let Some((before, status)) = own_answer(bytes) else {
            return self.bare()?.poll_write(cx, bytes);
        };
        if let Some(before) = bytes.get(..before).filter(|before| !before.is_empty()) {
            // Answers to what was asked before; the rest comes again.
            return self.bare()?.poll_write(cx, before);
        }
        self.has_refused = true;
        self.metrics
            .request("OTHER", "unmatched", status.as_u16(), Duration::ZERO);
        ready!(self.poll_instead(cx, answer(status)))?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bare()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bare()?.poll_shutdown(cx)
    }
}

/// Where an answer of the library's own begins, if the bytes end with one.
///
/// No body of ours ends with an empty line after lines like these: JSON has no bare line breaks,
/// events end theirs with a line feed alone, tables quote them, and everything else is compressed.
fn own_answer(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    if !bytes.ends_with(END) {
        return None;
    }
    let from = bytes.len().saturating_sub(LONGEST);
    let tail = bytes.get(from..)?;
    let start = tail.windows(7).rposition(|seven| seven == b"HTTP/1.")?;
    let head = std::str::from_utf8(tail.get(start..tail.len() - END.len())?).ok()?;
    let mut lines = head.split("\r\n");
    let number = lines.next()?.split(' ').nth(1)?;
    let status = StatusCode::from_bytes(number.as_bytes()).ok()?;
    let is_own = |line: &str| {
        let line = line.to_ascii_lowercase();
        line == "content-length: 0" || line == "connection: close" || line.starts_with("date: ")
    };
    let is_error = status.is_client_error() || status.is_server_error();
    (is_error && lines.all(is_own)).then_some((from + start, status))
}

fn answer(status: StatusCode) -> Bytes {
    let (code, sentence) = match status {
        StatusCode::REQUEST_TIMEOUT => (
            ErrorCode::BadRequest,
            "The request did not come in time. Please send it again.",
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            (ErrorCode::TooLarge, "The head of the request is too large.")
        }
        status if status.is_client_error() => (
            ErrorCode::BadRequest,
            "The request could not be read: it is not HTTP/1.1.",
        ),
        _ => (ErrorCode::Internal, "Something went wrong here."),
    };
    let request_id = Uuid::now_v7().to_string();
    tracing::debug!(
        request_id,
        status = status.as_u16(),
        "no request came of it"
    );
    let mut headers = HeaderMap::new();
    headers.insert(
        actix_web::http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    middleware::protect(status, &mut headers, false);
    let body = ErrorBody {
        // There is no code of its own for it.
        status: status.as_u16(),
        ..ApiError::new(code, sentence).body(&request_id)
    };
    let body = serde_json::to_string(&body).unwrap_or_default();
    let mut text = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\nx-request-id: {request_id}\r\n",
        body.len()
    );
    for (name, value) in &headers {
        if let Ok(value) = value.to_str() {
            text.extend([name.as_str(), ": ", value, "\r\n"]);
        }
    }
    text.extend(["\r\n", &body]);
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_the_library_are_taken_for_such() {
        let own = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Fri, 27 Nov 2026 10:00:00 GMT\r\n\r\n";
        let found =
            |text: &str| own_answer(text.as_bytes()).map(|(at, status)| (at, status.as_u16()));
        assert_eq!(found(own), Some((0, 400)));
        let before = "HTTP/1.1 204 No Content\r\nx-request-id: x\r\n\r\n";
        assert_eq!(found(&format!("{before}{own}")), Some((before.len(), 400)));
        for other in [
            "",
            before,
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nx-request-id: x\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            &own[..own.len() - 1],
            &format!("{own}."),
            "0\r\n\r\n",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_said_instead() {
        let text = answer(StatusCode::REQUEST_TIMEOUT);
        let text = std::str::from_utf8(&text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{head}"
        );
        assert!(
            head.contains("\r\nx-content-type-options: nosniff"),
            "{head}"
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (&body["status"], &body["code"]),
            (&408.into(), &"bad_request".into())
        );
        let id = body["requestId"].as_str().unwrap();
        assert!(
            head.contains(&format!("\r\nx-request-id: {id}\r\n")),
            "{head}"
        );
    }
}

//! The body of a request that wants to upgrade. There is none in a handshake, but nothing forbids
//! it in other requests, which are answered as if they had not asked.

use std::io;
use std::rc::Rc;

use actix_http::error::PayloadError;
use actix_http::{Payload, RequestHead};
use actix_web::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tokio::net::TcpStream;

/// The largest part in which a body is handed on, in bytes.
const CHUNK: usize = 8 * 1024;

/// How long the body is that a request announces.
pub(super) fn length(head: &RequestHead) -> usize {
    let length = head.headers().get(CONTENT_LENGTH);
    // The parser has refused what is no number.
    length
        .and_then(|length| length.to_str().ok()?.trim().parse().ok())
        .unwrap_or(0)
}

/// A body of `left` bytes, of which `first` have come.
pub(super) fn body(stream: Rc<TcpStream>, first: Bytes, left: usize) -> Payload {
    let reading = (stream, first, left);
    Payload::Stream {
        payload: Box::pin(stream::unfold(
            reading,
            |(stream, first, left)| async move {
                if left == 0 {
                    return None;
                }
                let chunk = if first.is_empty() {
                    read(&stream, left.min(CHUNK)).await
                } else {
                    Ok(first)
                };
                // After a fault nothing comes any more.
                let left = chunk.as_ref().map_or(0, |chunk| left - chunk.len());
                Some((chunk, (stream, Bytes::new(), left)))
            },
        )),
    }
}

async fn read(stream: &TcpStream, most: usize) -> Result<Bytes, PayloadError> {
    let mut chunk = BytesMut::zeroed(most);
    loop {
        stream.readable().await?;
        match stream.try_read(&mut chunk) {
            Ok(0) => return Err(PayloadError::Incomplete(None)),
            Ok(read) => return Ok(chunk.split_to(read).freeze()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

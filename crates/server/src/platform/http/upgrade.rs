//! The way out of HTTP.
//!
//! The HTTP server hands over every connection on which a request asks for an upgrade to
//! WebSocket, whatever its path. The request is answered by the same application, with everything
//! around it, as any other; a handler that opens a socket finds a [`Handover`] in the request and
//! leaves in it what shall happen on the connection. Then the answer's head is written, and the
//! connection is given away, without the buffers that HTTP needs. All other answers are written
//! here, and are the last on their connection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;

use actix_codec::{Encoder, Framed};
use actix_http::body::{BodySize, MessageBody};
use actix_http::h1::{Codec, Message};
use actix_http::{ConnectionType, HttpMessage, Request, Response};
use actix_service::Service;
use actix_web::Error;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use bytes::BytesMut;
use tokio::net::TcpStream;

use super::connection::{Connection, gone, part, write};
use super::guarded::Guarded;
use super::payload;

/// The application with everything around it.
pub(super) trait App: Service<Request, Response = ServiceResponse, Error = Error> {}

impl<A: Service<Request, Response = ServiceResponse, Error = Error>> App for A {}

type Takeover = Box<dyn FnOnce(Connection)>;

/// A place for what shall happen on a connection once the answer to its handshake is written.
#[derive(Clone, Default)]
pub(crate) struct Handover(Rc<RefCell<Option<Takeover>>>);

impl Handover {
    /// That of a request whose connection can be taken.
    pub(crate) fn of(request: &impl HttpMessage) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Takes the connection, if the answer is 101. `takeover` must not block.
    pub(crate) fn take(&self, takeover: impl FnOnce(Connection) + 'static) {
        self.0.replace(Some(Box::new(takeover)));
    }
}

/// Answers a request that asks for an upgrade.
pub(super) async fn answer(app: Rc<impl App>, request: Request, framed: Framed<Guarded, Codec>) {
    if let Err(error) = try_answer(app, request, framed).await {
        tracing::debug!(%error, "a peer left before its handshake was answered");
    }
}

async fn try_answer(
    app: Rc<impl App>,
    mut request: Request,
    framed: Framed<Guarded, Codec>,
) -> io::Result<()> {
    let parts = framed.into_parts();
    let (stream, mut unread, mut codec) = (
        Rc::new(parts.io.into_stream()?),
        parts.read_buf,
        parts.codec,
    );
    // Answers to requests that came before on this connection.
    write(&stream, &parts.write_buf).await?;
    drop(parts.write_buf);

    let handover = Handover::default();
    let length = payload::length(request.head());
    if length == 0 {
        request.extensions_mut().insert(handover.clone());
    } else {
        let first = unread.split_to(length.min(unread.len())).freeze();
        *request.payload() = payload::body(Rc::clone(&stream), first, length);
    }
    let is_head = request.method() == Method::HEAD;
    let answer = match app.call(request).await {
        Ok(answer) => Response::from(answer),
        Err(error) => Response::from(error),
    };
    let (mut head, body) = answer.into_parts();

    let mut text = BytesMut::new();
    let takeover = handover.0.take();
    if let Some(takeover) = takeover.filter(|_| head.status() == StatusCode::SWITCHING_PROTOCOLS) {
        codec.encode(Message::Item((head, BodySize::None)), &mut text)?;
        write(&stream, &text).await?;
        if let Ok(stream) = Rc::try_unwrap(stream) {
            // It has room for much more than is in it.
            let unread = BytesMut::from(&unread[..]);
            takeover(Connection { stream, unread });
        }
        return Ok(());
    }

    head.head_mut().set_connection_type(ConnectionType::Close);
    // A body of unknown length ends with the connection: the codec does not cut the body of what
    // it takes for a stream into chunks.
    head.head_mut().no_chunking(true);
    codec.encode(Message::Item((head, body.size())), &mut text)?;
    if is_head {
        write(&stream, &text).await?;
    } else {
        // Who hangs up while a stream is being sent is gone.
        tokio::select! {
            biased;
            sent = send(&stream, &mut codec, text, body) => sent?,
            () = gone(&stream) => return Ok(()),
        }
    }
    if let Ok(stream) = Rc::try_unwrap(stream) {
        part(stream).await;
    }
    Ok(())
}

/// Sends a body after the head, which is `text`. The two go together if the body is there: some
/// clients look no further than that.
async fn send(
    stream: &TcpStream,
    codec: &mut Codec,
    mut text: BytesMut,
    body: impl MessageBody,
) -> io::Result<()> {
    if body.size() == BodySize::Stream {
        write(stream, &text.split()).await?;
    }
    let mut body = pin!(body);
    while let Some(chunk) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let chunk = chunk.map_err(|error| io::Error::other(error.into().to_string()))?;
        codec.encode(Message::Chunk(Some(chunk)), &mut text)?;
        write(stream, &text.split()).await?;
    }
    codec.encode(Message::Chunk(None), &mut text)?;
    write(stream, &text).await
}

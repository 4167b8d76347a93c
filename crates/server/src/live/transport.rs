//! What carries a socket: one small type, so that another can take its place.
//!
//! This one is actix-ws. Its costs are known: a queue of 32 frames behind which a close waits, and
//! nothing is sent while the peer does not read; hence a deadline on every send, and the kernel's
//! own time limit for unacknowledged data (`TCP_USER_TIMEOUT`), which is set when a connection is
//! accepted.

use std::time::Duration;

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, ProtocolError};
use bytestring::ByteString;
use wire::live::frames::CloseCode;

/// The largest message that a client may send, in bytes.
pub(super) const MESSAGE_LIMIT: usize = 16 * 1024;

/// How long a peer that does not read may hold up its session.
const SEND_DEADLINE: Duration = Duration::from_secs(15);

/// A reason in a close frame has at most this many bytes (RFC 6455: a control frame has 125).
const REASON_LIMIT: usize = 123;

/// An open socket.
pub(super) struct Transport {
    sender: actix_ws::Session,
    receiver: AggregatedMessageStream,
}

/// What came from the peer.
pub(super) enum Received {
    /// A message.
    Text(ByteString),
    /// A message that is not text.
    Binary,
    /// A sign of life.
    Sign,
    /// A ping; it wants the same bytes back.
    Ping(bytes::Bytes),
    /// More than is allowed, or not the protocol.
    Abuse,
    /// The peer has gone.
    Gone,
}

/// The peer does not take what is sent to it.
pub(super) enum SendError {
    /// It has gone.
    Gone,
    /// It does not read.
    TooSlow,
}

impl Transport {
    /// Answers the handshake. `protocols` are those that the client may have asked for.
    pub(super) fn upgrade(
        request: &HttpRequest,
        payload: Payload,
        protocols: &[&str],
    ) -> Result<(HttpResponse, Self), actix_web::Error> {
        let (response, sender, receiver) =
            actix_ws::handle_with_protocols(request, payload, protocols)?;
        let receiver = receiver
            .max_frame_size(MESSAGE_LIMIT)
            .aggregate_continuations()
            .max_continuation_size(MESSAGE_LIMIT);
        Ok((response, Self { sender, receiver }))
    }

    /// Sends a frame.
    pub(super) async fn send(&mut self, frame: ByteString) -> Result<(), SendError> {
        within_deadline(self.sender.text(frame)).await
    }

    /// Asks the peer for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), SendError> {
        within_deadline(self.sender.ping(b"")).await
    }

    /// Answers a ping.
    pub(super) async fn pong(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        within_deadline(self.sender.pong(bytes)).await
    }

    /// Waits for what the peer says. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Received {
        match self.receiver.recv().await {
            Some(Ok(AggregatedMessage::Text(text))) => Received::Text(text),
            Some(Ok(AggregatedMessage::Binary(_))) => Received::Binary,
            Some(Ok(AggregatedMessage::Ping(bytes))) => Received::Ping(bytes),
            Some(Ok(AggregatedMessage::Pong(_))) => Received::Sign,
            Some(Ok(AggregatedMessage::Close(_))) | None | Some(Err(ProtocolError::Io(_))) => {
                Received::Gone
            }
            Some(Err(_)) => Received::Abuse,
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self, code: CloseCode, reason: &str) {
        let description = reason
            .get(..reason.len().min(REASON_LIMIT))
            .map(str::to_owned);
        let reason = CloseReason {
            code: code.number().into(),
            description,
        };
        // Whether it arrives is up to the peer; it is being left either way.
        let _sent = within_deadline(self.sender.close(Some(reason))).await;
    }
}

async fn within_deadline(
    sending: impl Future<Output = Result<(), actix_ws::Closed>>,
) -> Result<(), SendError> {
    match tokio::time::timeout(SEND_DEADLINE, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(SendError::Gone),
        Err(_) => Err(SendError::TooSlow),
    }
}

//! What carries a session: one small trait, so that what is said does not depend on it.
//!
//! Whatever it is, it holds a bounded number of frames, and a peer that does not take them within
//! a deadline is given up. What lies further back waits in the log.

mod actix;
mod bare;
mod fragments;
mod stream;

use std::borrow::Cow;
use std::time::Duration;

use bytestring::ByteString;
use realtime::Frames;
use wire::live::frames::CloseCode;
use wire::{Epoch, Position};

pub(super) use actix::ActixSocket;
pub(super) use bare::BareSocket;
pub(super) use stream::EventStream;

/// The largest message that a client may send, in bytes.
const MESSAGE_LIMIT: usize = 16 * 1024;

/// A reason in a close frame has at most this many bytes (RFC 6455: a control frame has 125).
const REASON_LIMIT: usize = 123;

/// A way to a peer.
pub(super) trait Transport {
    /// Whether the peer can speak. One that can has to give signs of life.
    const HEARS: bool;

    /// Sends events of the log's life `epoch`, in this order.
    async fn send_events(&mut self, epoch: Epoch, frames: Frames) -> Result<(), SendError>;

    /// Sends a frame that is not in the log. Who has processed it stands at `position`, if that is
    /// given.
    async fn send(
        &mut self,
        frame: ByteString,
        position: Option<Position>,
    ) -> Result<(), SendError>;

    /// Asks the peer for a sign of life.
    async fn ping(&mut self) -> Result<(), SendError>;

    /// Answers a ping.
    async fn pong(&mut self, bytes: &[u8]) -> Result<(), SendError>;

    /// Waits for what the peer says, frame by frame: whoever reads has to count them, whatever is in
    /// them. Cancel-safe.
    async fn receive(&mut self) -> Heard;

    /// Says goodbye.
    async fn close(self, farewell: Farewell);
}

/// A frame of the peer's, or a part of one.
pub(super) struct Heard {
    pub(super) received: Received,
    /// How much came, with its header; what comes of a frame in parts counts when all of it is here.
    pub(super) bytes: usize,
}

impl Heard {
    const GONE: Self = Self::nothing(Received::Gone);
    const SIGN: Self = Self::nothing(Received::Sign);

    const fn nothing(received: Received) -> Self {
        Self { received, bytes: 0 }
    }
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

/// Why a session ends.
pub(super) struct Farewell {
    /// For programs.
    pub(super) code: CloseCode,
    /// For people.
    pub(super) reason: Cow<'static, str>,
    /// After which time to come back, if that is asked for.
    pub(super) reconnect_after: Option<Duration>,
}

impl Farewell {
    pub(super) fn new(code: CloseCode, reason: &'static str) -> Self {
        Self {
            code,
            reason: reason.into(),
            reconnect_after: None,
        }
    }

    /// Code and reason as a close frame has them.
    fn close_frame(self) -> (u16, Cow<'static, str>) {
        let mut reason = match self.reconnect_after_ms() {
            Some(ms) => format!("{{\"reconnect_after_ms\":{ms}}}").into(),
            None => self.reason,
        };
        if reason.len() > REASON_LIMIT {
            let end = reason.floor_char_boundary(REASON_LIMIT);
            reason.to_mut().truncate(end);
        }
        (self.code.number(), reason)
    }

    /// The time to come back, in milliseconds.
    fn reconnect_after_ms(&self) -> Option<u64> {
        let after = self.reconnect_after?;
        Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<SendError> for Farewell {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Gone => Self::new(CloseCode::Normal, ""),
            SendError::TooSlow => Self::new(CloseCode::TooSlow, "too slow: come back and resume"),
        }
    }
}

/// Gives a peer so long to take what is sent. `sending` says whether it did.
async fn within<E>(
    timeout: Duration,
    sending: impl Future<Output = Result<(), E>>,
) -> Result<(), SendError> {
    match tokio::time::timeout(timeout, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(SendError::Gone),
        Err(_) => Err(SendError::TooSlow),
    }
}

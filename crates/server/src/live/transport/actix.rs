//! A WebSocket inside the HTTP server: actix-ws.
//!
//! Its costs are known: two buffers of 8 KiB for each connection, a queue of 32 frames behind which a close waits, and
//! nothing is sent while the peer does not read; hence a deadline on every send, and the kernel's
//! own time limit for unacknowledged data (`TCP_USER_TIMEOUT`), which is set when a connection is
//! accepted.

use std::time::Duration;

use actix_http::error::PayloadError;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{CloseReason, Item, Message, MessageStream, ProtocolError};
use bytestring::ByteString;
use realtime::Frames;
use wire::{Epoch, Position};

use super::fragments::Fragments;
use super::{Farewell, Heard, MESSAGE_LIMIT, Received, SendError, Transport, within};

/// A frame's header and mask, at least.
const HEADER: usize = 6;

/// An open socket.
pub(in crate::live) struct ActixSocket {
    sender: actix_ws::Session,
    receiver: MessageStream,
    fragments: Fragments,
    send_timeout: Duration,
}

impl ActixSocket {
    /// Answers the handshake. `protocols` are those that the client may have asked for.
    pub(in crate::live) fn upgrade(
        request: &HttpRequest,
        payload: Payload,
        protocols: &[&str],
        send_timeout: Duration,
    ) -> Result<(HttpResponse, Self), actix_web::Error> {
        let (response, sender, receiver) =
            actix_ws::handle_with_protocols(request, payload, protocols)?;
        let socket = Self {
            sender,
            receiver: receiver.max_frame_size(MESSAGE_LIMIT),
            fragments: Fragments::default(),
            send_timeout,
        };
        Ok((response, socket))
    }
}

impl Transport for ActixSocket {
    const HEARS: bool = true;

    async fn send_events(&mut self, _: Epoch, frames: Frames) -> Result<(), SendError> {
        for frame in frames {
            within(self.send_timeout, self.sender.text(frame)).await?;
        }
        Ok(())
    }

    async fn send(&mut self, frame: ByteString, _: Option<Position>) -> Result<(), SendError> {
        within(self.send_timeout, self.sender.text(frame)).await
    }

    async fn ping(&mut self) -> Result<(), SendError> {
        within(self.send_timeout, self.sender.ping(b"")).await
    }

    async fn pong(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        within(self.send_timeout, self.sender.pong(bytes)).await
    }

    async fn receive(&mut self) -> Heard {
        match self.receiver.recv().await {
            Some(Ok(message)) => Heard {
                bytes: HEADER + payload(&message),
                received: match message {
                    Message::Text(text) => Received::Text(text),
                    Message::Binary(_) => Received::Binary,
                    Message::Ping(bytes) => Received::Ping(bytes),
                    Message::Pong(_) | Message::Nop => Received::Sign,
                    Message::Close(_) => Received::Gone,
                    Message::Continuation(frame) => self.fragments.take(frame),
                },
            },
            None => Heard::GONE,
            // What is wrong with a message may come as an error of reading, too.
            Some(Err(ProtocolError::Io(error)))
                if error
                    .get_ref()
                    .is_some_and(|error| error.is::<PayloadError>()) =>
            {
                Heard::GONE
            }
            Some(Err(_)) => Heard::nothing(Received::Abuse),
        }
    }

    async fn close(self, farewell: Farewell) {
        let (code, reason) = farewell.close_frame();
        let reason = CloseReason {
            code: code.into(),
            description: Some(reason.into_owned()),
        };
        // Whether it arrives is up to the peer; it is being left either way.
        let _sent = within(self.send_timeout, self.sender.close(Some(reason))).await;
    }
}

fn payload(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Continuation(
            Item::FirstText(bytes)
            | Item::FirstBinary(bytes)
            | Item::Continue(bytes)
            | Item::Last(bytes),
        ) => bytes.len(),
        Message::Close(_) | Message::Nop => 0,
    }
}

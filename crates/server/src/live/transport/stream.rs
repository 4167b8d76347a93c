//! Server-sent events, for where a socket does not get through.
//!
//! One message per frame, without a name, so that a client has one handler for all. Its `id:` is
//! `<epoch>:<seq>`: where a client stands that has processed it, and what a browser sends as
//! `Last-Event-ID` when it comes back by itself.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use bytestring::ByteString;
use futures_util::stream;
use realtime::Frames;
use tokio::sync::mpsc;
use wire::live::events::seq_of;
use wire::live::frames::SessionFrame;
use wire::{Epoch, Position};

use super::{Farewell, Heard, SendError, Transport, within};

/// After how long browsers come back that were cut off without a word, in milliseconds: at least,
/// and as much again by chance, so that not all come at once.
const RETRY_MS: u64 = 1000;

/// An open stream.
pub(in crate::live) struct EventStream {
    /// A place for one batch of frames. The next is not taken from the room before the connection
    /// has asked for this one.
    sender: mpsc::Sender<Bytes>,
    send_timeout: Duration,
}

impl EventStream {
    /// Begins the answer.
    pub(in crate::live) fn open(send_timeout: Duration) -> (HttpResponse, Self) {
        let (sender, mut receiver) = mpsc::channel(1);
        let retry = RETRY_MS + rand::random_range(0..RETRY_MS);
        let first = Bytes::from(format!("retry: {retry}\n\n"));
        // There is a place for it.
        let _sent = sender.try_send(first);
        let body = stream::poll_fn(move |cx| {
            let chunk = receiver.poll_recv(cx);
            chunk.map(|chunk| chunk.map(Ok::<_, Infallible>))
        });
        let response = HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            // nginx would collect the stream before passing it on.
            .insert_header(("X-Accel-Buffering", "no"))
            .streaming(body);
        let stream = Self {
            sender,
            send_timeout,
        };
        (response, stream)
    }

    async fn write(&mut self, text: String) -> Result<(), SendError> {
        within(self.send_timeout, self.sender.send(text.into())).await
    }
}

impl Transport for EventStream {
    const HEARS: bool = false;

    async fn send_events(&mut self, epoch: Epoch, frames: Frames) -> Result<(), SendError> {
        let bytes: usize = frames.iter().map(|frame| frame.len() + 80).sum();
        let mut text = String::with_capacity(bytes);
        for frame in frames {
            let position = seq_of(&frame).map(|seq| Position { epoch, seq });
            message(&mut text, &frame, position);
        }
        self.write(text).await
    }

    async fn send(
        &mut self,
        frame: ByteString,
        position: Option<Position>,
    ) -> Result<(), SendError> {
        let mut text = String::with_capacity(frame.len() + 80);
        message(&mut text, &frame, position);
        self.write(text).await
    }

    async fn ping(&mut self) -> Result<(), SendError> {
        Ok(())
    }

    async fn pong(&mut self, _: &[u8]) -> Result<(), SendError> {
        Ok(())
    }

    async fn receive(&mut self) -> Heard {
        self.sender.closed().await;
        Heard::GONE
    }

    async fn close(mut self, farewell: Farewell) {
        let reconnect_after_ms = farewell.reconnect_after_ms();
        let frame = SessionFrame::Closing {
            code: farewell.code.number(),
            reason: farewell.reason.into_owned(),
            reconnect_after_ms,
        };
        let mut text = String::new();
        if let Some(ms) = reconnect_after_ms {
            // The browser waits as long by itself.
            _ = writeln!(text, "retry: {ms}");
        }
        if let Ok(frame) = serde_json::to_string(&frame) {
            message(&mut text, &frame, None);
        }
        // Whether it arrives is up to the peer; it is being left either way.
        let _sent = self.write(text).await;
    }
}

/// Frames are JSON on one line, so they need no more than this around them.
fn message(text: &mut String, frame: &str, position: Option<Position>) {
    if let Some(position) = position {
        _ = writeln!(text, "id: {position}");
    }
    text.push_str("data: ");
    text.push_str(frame);
    text.push_str("\n\n");
}

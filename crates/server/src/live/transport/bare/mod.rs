//! A WebSocket on the bare connection.
//!
//! While nothing is said it holds no buffer. What a client says is read into the stack, and only
//! an incomplete message is kept. Frames are written as they are in the log, headers between them,
//! all of a batch in one system call; what the kernel does not take waits here, and the session
//! with it.

mod incoming;
mod unsent;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::ready;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use realtime::Frames;
use smallvec::{SmallVec, smallvec};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use wire::{Epoch, Position};

use self::incoming::Incoming;
use self::unsent::{Opcode, Unsent};
use super::{Farewell, Heard, SendError, Transport};
use crate::platform::http::{Connection, part};

/// How long a peer has to take the last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is handed to the kernel in one piece, in bytes at most.
const SHORT: usize = 2 * 1024;

/// An open socket.
pub(in crate::live) struct BareSocket {
    stream: TcpStream,
    incoming: Incoming,
    /// The rest of a frame that the peer took a part of before it was found to be too slow.
    begun: Bytes,
    send_timeout: Duration,
}

impl BareSocket {
    /// On a connection whose handshake has been answered.
    pub(in crate::live) fn new(connection: Connection, send_timeout: Duration) -> Self {
        Self {
            stream: connection.stream,
            incoming: Incoming::new(connection.unread),
            begun: Bytes::new(),
            send_timeout,
        }
    }

    /// Writes frames at once, as far as the kernel takes them. The future is for the rest: most of
    /// the time there is none, and a session does not carry the frames along.
    fn write<P: AsRef<[u8]>>(
        &mut self,
        opcode: Opcode,
        payloads: SmallVec<[P; 1]>,
    ) -> impl Future<Output = Result<(), SendError>> {
        let mut unsent = Unsent::new(opcode, payloads);
        let rest = match unsent.write(|parts| hand_over(&self.stream, parts)) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(Box::new(unsent))),
            Err(_) => Err(SendError::Gone),
        };
        async move {
            match rest? {
                None => Ok(()),
                Some(unsent) => Box::pin(self.write_on(*unsent)).await,
            }
        }
    }

    /// Writes what the kernel did not take at once, as it takes it.
    async fn write_on<P: AsRef<[u8]>>(&mut self, mut unsent: Unsent<P>) -> Result<(), SendError> {
        let mut deadline = Instant::now() + self.send_timeout;
        loop {
            let ready = poll_fn(|cx| self.stream.poll_write_ready(cx));
            match timeout_at(deadline, ready).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(SendError::Gone),
                Err(_) => {
                    self.begun = unsent.begun();
                    return Err(SendError::TooSlow);
                }
            }
            let left = unsent.frames_left();
            match unsent.write(|parts| hand_over(&self.stream, parts)) {
                Ok(true) => return Ok(()),
                // So long for each frame: a slow peer is not one that does not read.
                Ok(false) if unsent.frames_left() < left => {
                    deadline = Instant::now() + self.send_timeout;
                }
                Ok(false) => {}
                Err(_) => return Err(SendError::Gone),
            }
        }
    }

    async fn say_goodbye(&mut self, farewell: Farewell) -> Result<(), SendError> {
        // Inside of a frame nothing else can be said.
        let begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            self.write_on(Unsent::raw(begun)).await?;
        }
        let (code, reason) = farewell.close_frame();
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        self.write(Opcode::Close, smallvec![payload]).await
    }
}

/// Hands parts to the kernel. A few that are short, as a header and its event are, go in one
/// piece: to copy them costs less than what the kernel does more for several.
fn hand_over(stream: &TcpStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    if parts.iter().map(|part| part.len()).sum::<usize>() > SHORT {
        return stream.try_write_vectored(parts);
    }
    let mut piece = SmallVec::<[u8; SHORT]>::new();
    parts.iter().for_each(|part| piece.extend_from_slice(part));
    stream.try_write(&piece)
}

impl Transport for BareSocket {
    const HEARS: bool = true;

    fn send_events(
        &mut self,
        _: Epoch,
        frames: Frames,
    ) -> impl Future<Output = Result<(), SendError>> {
        self.write(Opcode::Text, frames)
    }

    async fn send(&mut self, frame: ByteString, _: Option<Position>) -> Result<(), SendError> {
        self.write(Opcode::Text, smallvec![frame]).await
    }

    async fn ping(&mut self) -> Result<(), SendError> {
        self.write(Opcode::Ping, smallvec![[0_u8; 0]]).await
    }

    async fn pong(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.write(Opcode::Pong, smallvec![bytes]).await
    }

    async fn receive(&mut self) -> Heard {
        poll_fn(|cx| {
            loop {
                if let Some(heard) = self.incoming.next() {
                    return heard.into();
                }
                if ready!(self.stream.poll_read_ready(cx)).is_err() {
                    return Heard::GONE.into();
                }
                match self.incoming.read(|buffer| self.stream.try_read(buffer)) {
                    Ok(0) => return Heard::GONE.into(),
                    // A message may come in small parts; each is a sign of life, and counts.
                    Ok(_) => {
                        return self.incoming.next().unwrap_or(Heard::SIGN).into();
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return Heard::GONE.into(),
                }
            }
        })
        .await
    }

    async fn close(mut self, farewell: Farewell) {
        // Whether it arrives is up to the peer; it is being left either way.
        let _said = timeout(LAST_WORDS, self.say_goodbye(farewell)).await;
        part(self.stream).await;
    }
}

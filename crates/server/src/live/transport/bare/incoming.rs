//! What a client says.

use std::io;

use actix_codec::Decoder;
use actix_http::ws::{Codec, Frame};
use bytes::BytesMut;

use super::super::fragments::{Fragments, text};
use super::super::{Heard, MESSAGE_LIMIT, Received};

/// The largest header of a frame from a client, in bytes: its length in eight bytes, and the mask.
const HEADER_LIMIT: usize = 14;

/// How much is read at once, in bytes.
const CHUNK: usize = 4 * 1024;

/// The messages of a client, out of bytes.
pub(super) struct Incoming {
    codec: Codec,
    /// What has been read beyond the last frame. It holds no memory when it is empty.
    unread: BytesMut,
    fragments: Fragments,
}

impl Incoming {
    /// After the handshake, of which `unread` is left.
    pub(super) fn new(unread: BytesMut) -> Self {
        Self {
            codec: Codec::new().max_size(MESSAGE_LIMIT),
            unread,
            fragments: Fragments::default(),
        }
    }

    /// Takes in what `read` puts into the buffer that it is given.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn read(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut buffer = [0; CHUNK];
        let len = read(&mut buffer)?;
        self.unread
            .extend_from_slice(buffer.get(..len).unwrap_or_default());
        Ok(len)
    }

    /// What comes next, if all of it is here.
    pub(super) fn next(&mut self) -> Option<Heard> {
        let before = self.unread.len();
        if before == 0 {
            return None;
        }
        let frame = self.codec.decode(&mut self.unread);
        let bytes = before - self.unread.len();
        if self.unread.is_empty() {
            self.unread = BytesMut::new();
        }
        let received = match frame {
            Ok(Some(frame)) => self.understand(frame),
            // A frame that claims to be too large is not waited for.
            Ok(None) if self.unread.len() > MESSAGE_LIMIT + HEADER_LIMIT => Received::Abuse,
            Ok(None) => return None,
            Err(_) => Received::Abuse,
        };
        Some(Heard { received, bytes })
    }

    fn understand(&mut self, frame: Frame) -> Received {
        match frame {
            Frame::Text(bytes) => text(bytes),
            Frame::Binary(_) => Received::Binary,
            Frame::Ping(bytes) => Received::Ping(bytes),
            Frame::Pong(_) => Received::Sign,
            Frame::Close(_) => Received::Gone,
            Frame::Continuation(frame) => self.fragments.take(frame),
        }
    }
}

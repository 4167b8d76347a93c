//! What a client says.

use std::io;

use actix_codec::Decoder;
use actix_http::ws::{Codec, Frame, Item};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::super::{MESSAGE_LIMIT, Received};

/// The largest header of a frame from a client, in bytes: its length in eight bytes, and the mask.
const HEADER_LIMIT: usize = 14;

/// How much is read at once, in bytes.
const CHUNK: usize = 4 * 1024;

/// The messages of a client, out of bytes.
pub(super) struct Incoming {
    codec: Codec,
    /// What has been read beyond the last frame. It holds no memory when it is empty.
    unread: BytesMut,
    /// A message of which not all frames have come.
    begun: Option<Box<Begun>>,
}

struct Begun {
    is_text: bool,
    bytes: BytesMut,
}

impl Incoming {
    /// After the handshake, of which `unread` is left.
    pub(super) fn new(unread: BytesMut) -> Self {
        Self {
            codec: Codec::new().max_size(MESSAGE_LIMIT),
            unread,
            begun: None,
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
    pub(super) fn next(&mut self) -> Option<Received> {
        if self.unread.is_empty() {
            return None;
        }
        let frame = self.codec.decode(&mut self.unread);
        if self.unread.is_empty() {
            self.unread = BytesMut::new();
        }
        match frame {
            Ok(Some(frame)) => Some(self.understand(frame)),
            // A frame that claims to be too large is not waited for.
            Ok(None) if self.unread.len() > MESSAGE_LIMIT + HEADER_LIMIT => Some(Received::Abuse),
            Ok(None) => None,
            Err(_) => Some(Received::Abuse),
        }
    }

    fn understand(&mut self, frame: Frame) -> Received {
        match frame {
            Frame::Text(bytes) => text(bytes),
            Frame::Binary(_) => Received::Binary,
            Frame::Ping(bytes) => Received::Ping(bytes),
            Frame::Pong(_) => Received::Sign,
            Frame::Close(_) => Received::Gone,
            Frame::Continuation(Item::FirstText(bytes)) => self.begin(true, bytes),
            Frame::Continuation(Item::FirstBinary(bytes)) => self.begin(false, bytes),
            Frame::Continuation(Item::Continue(bytes)) => self.go_on(&bytes),
            Frame::Continuation(Item::Last(bytes)) => match self.go_on(&bytes) {
                Received::Sign => self.end(),
                received => received,
            },
        }
    }

    fn begin(&mut self, is_text: bool, bytes: Bytes) -> Received {
        self.begun = Some(Box::new(Begun {
            is_text,
            bytes: bytes.into(),
        }));
        Received::Sign
    }

    fn go_on(&mut self, bytes: &[u8]) -> Received {
        match &mut self.begun {
            Some(begun) if begun.bytes.len() + bytes.len() <= MESSAGE_LIMIT => {
                begun.bytes.extend_from_slice(bytes);
                Received::Sign
            }
            _ => Received::Abuse,
        }
    }

    fn end(&mut self) -> Received {
        match self.begun.take() {
            Some(begun) if begun.is_text => text(begun.bytes.freeze()),
            Some(_) => Received::Binary,
            None => Received::Abuse,
        }
    }
}

fn text(bytes: Bytes) -> Received {
    ByteString::try_from(bytes).map_or(Received::Abuse, Received::Text)
}

//! Messages that come in several frames.

use actix_http::ws::Item;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::{MESSAGE_LIMIT, Received};

/// In how many frames a message may come.
const FRAMES_LIMIT: u32 = 64;

/// A message of which not all frames have come, if there is one.
#[derive(Default)]
pub(super) struct Fragments(Option<Box<Begun>>);

struct Begun {
    is_text: bool,
    frames: u32,
    bytes: BytesMut,
}

impl Fragments {
    /// Takes in a frame that is not a message by itself.
    pub(super) fn take(&mut self, frame: Item) -> Received {
        match frame {
            Item::FirstText(bytes) => self.begin(true, bytes),
            Item::FirstBinary(bytes) => self.begin(false, bytes),
            Item::Continue(bytes) => self.go_on(&bytes),
            Item::Last(bytes) => match self.go_on(&bytes) {
                Received::Sign => self.end(),
                received => received,
            },
        }
    }

    fn begin(&mut self, is_text: bool, bytes: Bytes) -> Received {
        if self.0.is_some() {
            return Received::Abuse;
        }
        self.0 = Some(Box::new(Begun {
            is_text,
            frames: 1,
            bytes: bytes.into(),
        }));
        Received::Sign
    }

    fn go_on(&mut self, bytes: &[u8]) -> Received {
        match &mut self.0 {
            Some(begun)
                if begun.bytes.len() + bytes.len() <= MESSAGE_LIMIT
                    && begun.frames < FRAMES_LIMIT =>
            {
                begun.frames += 1;
                begun.bytes.extend_from_slice(bytes);
                Received::Sign
            }
            _ => Received::Abuse,
        }
    }

    fn end(&mut self) -> Received {
        match self.0.take() {
            Some(begun) if begun.is_text => text(begun.bytes.freeze()),
            Some(_) => Received::Binary,
            None => Received::Abuse,
        }
    }
}

/// A message that says that it is text.
pub(super) fn text(bytes: Bytes) -> Received {
    ByteString::try_from(bytes).map_or(Received::Abuse, Received::Text)
}

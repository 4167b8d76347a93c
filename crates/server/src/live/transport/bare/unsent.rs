//! Frames on their way into the kernel.

use std::io::{self, ErrorKind, IoSlice};

use bytes::{Bytes, BytesMut};
use smallvec::{SmallVec, smallvec};

/// How many frames are offered to the kernel at once.
const AT_ONCE: usize = 32;

/// What kind of a frame (RFC 6455, 5.2), each complete in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Text = 0x81,
    Close = 0x88,
    Ping = 0x89,
    Pong = 0x8a,
}

/// The beginning of a frame, which is not masked.
struct Header {
    bytes: [u8; 10],
    len: usize,
}

impl Header {
    const NONE: Self = Self {
        bytes: [0; 10],
        len: 0,
    };

    fn new(opcode: Opcode, payload: usize) -> Self {
        let mut bytes = [opcode as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let [_, short, long @ ..] = &mut bytes;
        let len = match (u8::try_from(payload), u16::try_from(payload)) {
            (Ok(payload @ ..=125), _) => {
                *short = payload;
                2
            }
            (_, Ok(payload)) => {
                *short = 126;
                for (place, byte) in long.iter_mut().zip(payload.to_be_bytes()) {
                    *place = byte;
                }
                4
            }
            _ => {
                *short = 127;
                *long = u64::try_from(payload).unwrap_or(u64::MAX).to_be_bytes();
                10
            }
        };
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A batch of frames of one kind, and how far it has been written.
pub(super) struct Unsent<P> {
    /// `None` when the payloads already are frames.
    opcode: Option<Opcode>,
    payloads: SmallVec<[P; 1]>,
    /// How many have been written, and how many bytes of the next one, its header included.
    done: usize,
    offset: usize,
}

impl<P: AsRef<[u8]>> Unsent<P> {
    pub(super) fn new(opcode: Opcode, payloads: SmallVec<[P; 1]>) -> Self {
        Self {
            opcode: Some(opcode),
            payloads,
            done: 0,
            offset: 0,
        }
    }

    /// Bytes that are a frame, or the rest of one.
    pub(super) fn raw(frame: P) -> Self {
        Self {
            opcode: None,
            payloads: smallvec![frame],
            done: 0,
            offset: 0,
        }
    }

    /// Writes as much as `write` takes, which is handed the parts that come next and says how many
    /// bytes it took. `true` when nothing is left.
    ///
    /// # Errors
    /// Those of `write`, except that it would block.
    pub(super) fn write(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        while self.frames_left() > 0 {
            let left = self.left();
            let headers = left.iter().take(AT_ONCE);
            let headers: SmallVec<[Header; AT_ONCE]> =
                headers.map(|payload| self.header(payload)).collect();
            let mut parts = SmallVec::<[IoSlice<'_>; 2 * AT_ONCE]>::new();
            let mut skip = self.offset;
            for (header, payload) in headers.iter().zip(left) {
                for part in [header.bytes(), payload.as_ref()] {
                    let skipped = skip.min(part.len());
                    skip -= skipped;
                    let rest = part.get(skipped..).filter(|rest| !rest.is_empty());
                    parts.extend(rest.map(IoSlice::new));
                }
            }
            let result = write(&parts);
            drop(parts);
            match result {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// How many frames have not been written to their end.
    pub(super) fn frames_left(&self) -> usize {
        self.payloads.len() - self.done
    }

    /// The rest of the frame of which a part has been written; nothing between two frames.
    pub(super) fn begun(&self) -> Bytes {
        let (Some(payload), 1..) = (self.left().first(), self.offset) else {
            return Bytes::new();
        };
        let mut frame = BytesMut::from(self.header(payload).bytes());
        frame.extend_from_slice(payload.as_ref());
        frame.freeze().split_off(self.offset)
    }

    fn left(&self) -> &[P] {
        self.payloads.get(self.done..).unwrap_or_default()
    }

    fn header(&self, payload: &P) -> Header {
        self.opcode.map_or(Header::NONE, |opcode| {
            Header::new(opcode, payload.as_ref().len())
        })
    }

    fn advance(&mut self, written: usize) {
        self.offset += written;
        while let Some(payload) = self.left().first() {
            let frame = self.header(payload).len + payload.as_ref().len();
            if self.offset < frame {
                break;
            }
            self.offset -= frame;
            self.done += 1;
        }
    }
}

#[cfg(test)]
mod tests;

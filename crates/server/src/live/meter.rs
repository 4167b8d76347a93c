//! How much a client may say, whatever it is.
//!
//! Messages are answered, so there may be few. Everything else (pongs, pings, the frames of a message
//! in parts, parts of a frame, empty ones too) is counted with them, because each costs the thread a
//! turn, which others on it wait for.

use std::time::Duration;

use tokio::time::Instant;
use wire::live::frames::CloseCode;

use super::transport::Farewell;

/// Messages that a client may send in one second.
const MESSAGES: u32 = 20;

/// Frames and parts of frames in one second: as many as so many messages of the greatest length are
/// cut into on their way, and twice that.
const PIECES: u32 = 500;

/// Bytes in one second: somewhat more than so many messages of the greatest length.
const BYTES: usize = 512 * 1024;

/// What a client has said in the present second.
pub(super) struct Meter {
    second: Instant,
    messages: u32,
    pieces: u32,
    bytes: usize,
}

impl Meter {
    /// Nothing yet.
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            second: now,
            messages: 0,
            pieces: 0,
            bytes: 0,
        }
    }

    /// Counts a frame, or a part of one.
    ///
    /// # Errors
    /// The farewell to a client that says too much.
    pub(super) fn piece(&mut self, now: Instant, bytes: usize) -> Result<(), Farewell> {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        self.pieces += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.pieces > PIECES {
            let reason = "more than 500 frames in a second";
            return Err(Farewell::new(CloseCode::Abuse, reason));
        }
        if self.bytes > BYTES {
            let reason = "more than 512 KiB in a second";
            return Err(Farewell::new(CloseCode::Abuse, reason));
        }
        Ok(())
    }

    /// Counts a message that wants an answer, whose last frame has been counted.
    ///
    /// # Errors
    /// The farewell to a client that floods.
    pub(super) fn message(&mut self) -> Result<(), Farewell> {
        self.messages += 1;
        if self.messages > MESSAGES {
            let reason = "more than 20 messages in a second";
            return Err(Farewell::new(CloseCode::TooMany, reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<(), Farewell>) -> Option<CloseCode> {
        result.err().map(|farewell| farewell.code)
    }

    #[test]
    fn each_second_begins_anew() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        for second in 0..3 {
            let now = start + Duration::from_secs(second);
            for _ in 0..PIECES {
                assert_eq!(code(meter.piece(now, 0)), None);
            }
            assert_eq!(code(meter.piece(now, 0)), Some(CloseCode::Abuse));
        }
    }

    #[test]
    fn what_the_contract_allows_is_allowed() {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        for _ in 0..MESSAGES {
            // 16 KiB in segments of a usual network.
            for _ in 0..12 {
                assert_eq!(code(meter.piece(now, 1460)), None);
            }
            assert_eq!(code(meter.message()), None);
        }
        assert_eq!(code(meter.message()), Some(CloseCode::TooMany));
        assert_eq!(code(meter.piece(now, BYTES)), Some(CloseCode::Abuse));
    }
}

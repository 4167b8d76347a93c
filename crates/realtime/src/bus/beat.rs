//! What each worker says twice a second on a channel that all hear.

use serde::{Deserialize, Serialize};

/// The first byte of every beat of this form.
const VERSION: u8 = 1;

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beat {
    /// Whose.
    pub(crate) origin: u64,
    /// Counted by its sender.
    pub(crate) number: u64,
    /// Over how many servers its sender spreads the restaurants: with another number it looks for
    /// some of them elsewhere.
    pub(crate) shards: u16,
    /// It was the last one.
    pub(crate) goodbye: bool,
    /// Whom its sender has heard, but does not hear any more.
    pub(crate) silent: Vec<Silent>,
}

/// A worker that is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Silent {
    pub(crate) origin: u64,
    /// On which way.
    pub(crate) way: Way,
    /// For how long, in milliseconds.
    pub(crate) for_ms: u32,
}

/// One of the ways that together reach all restaurants of a part: the masters of a cluster have
/// one each, everything else has one. Bears the same number on all workers.
pub(crate) type Way = u16;

impl Beat {
    pub(crate) fn encode(&self) -> postcard::Result<Vec<u8>> {
        postcard::to_extend(self, vec![VERSION])
    }

    /// `None` when it is not one of this version, or none at all.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&VERSION, body) = bytes.split_first()? else {
            return None;
        };
        postcard::from_bytes(body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let silent = Silent {
            origin: u64::MAX,
            way: 3,
            for_ms: 1500,
        };
        let beat = Beat {
            origin: 7,
            number: 300,
            shards: 2,
            goodbye: false,
            silent: vec![silent],
        };
        let bytes = beat.encode().unwrap();
        assert_eq!(Beat::decode(&bytes), Some(beat));
        for length in 0..bytes.len() {
            assert_eq!(Beat::decode(&bytes[..length]), None);
        }
        assert_eq!(Beat::decode(&[VERSION + 1, 0, 0, 0, 0, 0]), None);
    }
}

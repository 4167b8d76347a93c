//! What goes through a notification: at most 8000 bytes of text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use wire::{Epoch, RestaurantId, Seq};

use crate::bus::Hint;
use crate::bus::beat::Beat;

/// The first byte of every notice of this form, before it is made text.
const VERSION: u8 = 1;
/// As many hints are sure to fit: of each the ids take 34 bytes, the numbers 20 at most, and the
/// text takes four letters for three bytes.
pub(super) const HINTS: usize = 100;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Notice {
    Beat(Beat),
    /// So far the logs of these restaurants go now.
    Heads {
        origin: u64,
        heads: Vec<HeadNotice>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadNotice {
    restaurant_id: RestaurantId,
    epoch: Epoch,
    seq: Seq,
    committed_at_ms: u64,
}

impl From<Hint> for HeadNotice {
    fn from(hint: Hint) -> Self {
        Self {
            restaurant_id: hint.restaurant_id,
            epoch: hint.epoch,
            seq: hint.seq,
            committed_at_ms: hint.committed_at_ms,
        }
    }
}

impl From<HeadNotice> for Hint {
    fn from(head: HeadNotice) -> Self {
        Self {
            restaurant_id: head.restaurant_id,
            epoch: head.epoch,
            seq: head.seq,
            committed_at_ms: head.committed_at_ms,
        }
    }
}

impl Notice {
    pub(super) fn encode(&self) -> postcard::Result<String> {
        let bytes = postcard::to_extend(self, vec![VERSION])?;
        Ok(BASE64.encode(bytes))
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        let (&VERSION, body) = bytes.split_first()? else {
            return None;
        };
        postcard::from_bytes(body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn as_many_as_promised_fit() {
        let head = HeadNotice {
            restaurant_id: RestaurantId(Uuid::max()),
            epoch: Epoch(Uuid::max()),
            seq: Seq::MAX,
            committed_at_ms: u64::MAX,
        };
        let notice = Notice::Heads {
            origin: u64::MAX,
            heads: vec![head; HINTS],
        };
        let text = notice.encode().unwrap();
        assert!(text.len() < 8000, "{}", text.len());
        assert_eq!(Notice::decode(&text), Some(notice));
        for bad in ["", "?", "AAAA", &text[..text.len() - 4]] {
            assert_eq!(Notice::decode(bad), None, "{bad}");
        }
    }
}

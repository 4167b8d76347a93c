//! Secrets that are handed on in links, to people who have no credential yet.
//!
//! A secret says where the row is that it belongs to, so that the row is found by its key, as
//! everything of a restaurant is; the rest of it is random, and only a hash of that is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use wire::RestaurantId;

use crate::secrets;

const ID: usize = 16;
const RANDOM: usize = 24;

/// The secret of a link.
pub(crate) struct LinkSecret {
    pub(crate) restaurant_id: RestaurantId,
    /// Of the row in the restaurant.
    pub(crate) id: Uuid,
    random: [u8; RANDOM],
}

impl LinkSecret {
    /// A new one, for a row of a restaurant.
    pub(crate) fn new(restaurant_id: RestaurantId, id: Uuid) -> Self {
        Self {
            restaurant_id,
            id,
            random: secrets::random(),
        }
    }

    /// `None` for what cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Longer ones are not even decoded.
        if text.len() != (2 * ID + RANDOM) * 4 / 3 + 1 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (restaurant, rest) = bytes.split_first_chunk::<ID>()?;
        let (id, rest) = rest.split_first_chunk::<ID>()?;
        Some(Self {
            restaurant_id: RestaurantId(Uuid::from_bytes(*restaurant)),
            id: Uuid::from_bytes(*id),
            random: rest.try_into().ok()?,
        })
    }

    pub(crate) fn encode(&self) -> String {
        let (restaurant, id) = (self.restaurant_id.0.as_bytes(), self.id.as_bytes());
        URL_SAFE_NO_PAD.encode([restaurant.as_slice(), id, &self.random].concat())
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        secrets::hash(&[&self.random])
    }

    /// Whether this is the one of which `stored` was kept.
    pub(crate) fn is_same(&self, stored: &[u8]) -> bool {
        secrets::is_same(stored, &self.hash())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let secret = LinkSecret::new(RestaurantId(Uuid::now_v7()), Uuid::now_v7());
        let text = secret.encode();
        let read = LinkSecret::parse(&text).unwrap();
        assert_eq!(
            (read.restaurant_id, read.id),
            (secret.restaurant_id, secret.id)
        );
        assert!(read.is_same(&secret.hash()));
        let other = LinkSecret::new(secret.restaurant_id, secret.id);
        assert!(!other.is_same(&secret.hash()));
    }

    #[test]
    fn anything_else_is_not() {
        let text = LinkSecret::new(RestaurantId(Uuid::nil()), Uuid::nil()).encode();
        for garbage in [
            "",
            "x",
            &text[1..],
            &format!("{text}A"),
            &format!("{text}="),
            &text.replacen('A', "é", 1),
            &text.replacen('A', "+", 1),
            &"A".repeat(1 << 20),
        ] {
            assert!(LinkSecret::parse(garbage).is_none(), "{garbage:.100}");
        }
    }
}

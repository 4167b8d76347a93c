//! What a refresh token is made of.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use wire::SessionId;

use crate::secrets;

const ID: usize = 16;
const FAMILY: usize = 16;
const SECRET: usize = 32;

/// A refresh token: the device's id, by which its row is found; a secret that all tokens of the
/// device share, which tells one that was used from one that somebody made up; and a secret of its
/// own.
///
/// The two are needed because a used token ends the family. Without the first, whoever knows a
/// device's id could log it out.
pub(super) struct RefreshToken {
    pub(super) session_id: SessionId,
    family: [u8; FAMILY],
    secret: [u8; SECRET],
}

impl RefreshToken {
    /// The first token of a device.
    pub(super) fn first(session_id: SessionId) -> Self {
        Self {
            session_id,
            family: secrets::random(),
            secret: secrets::random(),
        }
    }

    /// Reads what [`RefreshToken::encode`] wrote; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = bytes.split_first_chunk::<ID>()?;
        let (family, rest) = rest.split_first_chunk::<FAMILY>()?;
        Some(Self {
            session_id: SessionId(Uuid::from_bytes(*id)),
            family: *family,
            secret: rest.try_into().ok()?,
        })
    }

    pub(super) fn encode(&self) -> String {
        let id = self.session_id.0.as_bytes().as_slice();
        URL_SAFE_NO_PAD.encode([id, &self.family, &self.secret].concat())
    }

    /// The next token: always the same one of the same seed.
    pub(super) fn successor(&self, seed: &[u8]) -> Self {
        Self {
            secret: secrets::hash(&[b"successor", seed, &self.secret]),
            ..*self
        }
    }

    pub(super) fn family_hash(&self) -> [u8; 32] {
        secrets::hash(&[&self.family])
    }

    pub(super) fn secret_hash(&self) -> [u8; 32] {
        secrets::hash(&[&self.secret])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let token = RefreshToken::first(SessionId(Uuid::now_v7()));
        let text = token.encode();
        assert_eq!(text.len(), 86);
        let read = RefreshToken::parse(&text).unwrap();
        assert_eq!(read.session_id, token.session_id);
        assert_eq!(read.family_hash(), token.family_hash());
        assert_eq!(read.secret_hash(), token.secret_hash());
    }

    #[test]
    fn anything_else_is_not() {
        let text = RefreshToken::first(SessionId(Uuid::nil())).encode();
        for garbage in [
            "",
            "x",
            "not base64!",
            &text[1..],
            &format!("{text}AAAA"),
            &format!("{text}=="),
            &text.replacen('A', "é", 1),
        ] {
            assert!(RefreshToken::parse(garbage).is_none(), "{garbage}");
        }
    }

    #[test]
    fn a_successor_takes_the_token_and_the_seed() {
        let token = RefreshToken::first(SessionId(Uuid::now_v7()));
        let next = token.successor(&[1; 32]);
        assert_eq!(next.encode(), token.successor(&[1; 32]).encode());
        assert_ne!(next.encode(), token.successor(&[2; 32]).encode());
        assert_ne!(next.encode(), next.successor(&[1; 32]).encode());
        assert_eq!(next.family_hash(), token.family_hash());
    }
}

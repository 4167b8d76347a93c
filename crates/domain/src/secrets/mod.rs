//! Random secrets, of which the database only ever sees a hash.

pub(crate) mod links;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Random bytes that nobody can guess: the generator is a cipher that the operating system seeds.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    rand::random()
}

/// SHA-256 of the parts, one after the other. No salt and no delay, unlike a password's: what is
/// hashed here is random and too long to be searched for.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Compares in a time that does not tell how much of it was right.
pub(crate) fn is_same(stored: &[u8], presented: &[u8; 32]) -> bool {
    stored.ct_eq(presented).into()
}

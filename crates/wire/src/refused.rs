//! Fields that some clients send and nobody reads: they are refused, and not passed over.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A password for somebody else: there is no value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPassword {}

impl<'de> Deserialize<'de> for NoPassword {
    /// # Errors
    /// Always.
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom(
            "is not for you to set: nobody's password is set by another",
        ))
    }
}

impl Serialize for NoPassword {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

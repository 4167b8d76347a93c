//! The id of a request.

/// The id of the request for which a transaction works: at most 64 bytes, in place, so that a
/// scope stays a plain value that anybody may copy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    bytes: [u8; Self::LENGTH],
    length: usize,
}

impl RequestId {
    const LENGTH: usize = 64;

    /// `None` for a text that is empty or too long to be an id.
    #[must_use]
    pub fn new(id: &str) -> Option<Self> {
        let mut bytes = [0; Self::LENGTH];
        let length = id.len();
        bytes.get_mut(..length)?.copy_from_slice(id.as_bytes());
        (length > 0).then_some(Self { bytes, length })
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl std::fmt::Debug for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn an_id_has_1_to_64_bytes() {
        let longest = "x".repeat(64);
        for id in ["a", "2f0c.-_", "\u{e9}", &longest] {
            assert_eq!(RequestId::new(id).unwrap().as_str(), id);
        }
        assert_eq!(RequestId::new(""), None);
        assert_eq!(RequestId::new(&"x".repeat(65)), None);
    }
}

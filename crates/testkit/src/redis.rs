//! The Redis server that tests share.

/// The URL of the test server.
///
/// # Panics
/// When `TEST_REDIS_URL` is not set.
#[must_use]
pub fn url() -> String {
    crate::service_url("TEST_REDIS_URL")
}

/// A prefix for keys and channels that no other test has. It ends in a colon.
///
/// The server is shared and is never flushed: this is what keeps tests apart.
#[must_use]
pub fn random_prefix() -> String {
    format!("qt_test_{}:", crate::random_name())
}

#[cfg(test)]
mod tests {
    #[test]
    fn prefixes_differ() {
        assert_ne!(super::random_prefix(), super::random_prefix());
    }
}

//! The `ETag` of what is read at a position of a restaurant's log.

use std::fmt;

use chrono::{DateTime, Utc};
use wire::Position;

/// `<epoch>:<seq>:<day>`: where the log stands, and when the service day began, in Unix seconds.
/// Lists show what there was since then: when the day changes they are others, though nothing was
/// done.
///
/// What comes before the second colon is the position, as `X-Event-Seq` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTag {
    position: Position,
    day: DateTime<Utc>,
}

impl LogTag {
    /// The tag of what is read at a position on a service day.
    #[must_use]
    pub const fn new(position: Position, day: DateTime<Utc>) -> Self {
        Self { position, day }
    }

    /// Where the log stands.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The position in a tag, in its quotes or not; also in one of a release that had no day in it.
    #[must_use]
    pub fn position_in(tag: &str) -> Option<Position> {
        let tag = tag.trim_matches('"');
        match tag.match_indices(':').nth(1) {
            Some((end, _)) => tag.get(..end)?.parse().ok(),
            None => tag.parse().ok(),
        }
    }
}

/// With its quotes.
impl fmt::Display for LogTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}:{}\"", self.position, self.day.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_its_position_in_it() {
        let position: Position = "0191d3a0-0000-7000-8000-000000000001:7".parse().unwrap();
        let day = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1);
        let tag = LogTag::new(position, day).to_string();
        assert_eq!(tag, "\"0191d3a0-0000-7000-8000-000000000001:7:86400\"");
        assert_eq!(LogTag::position_in(&tag), Some(position));
        let of_before = format!("\"{position}\"");
        assert_eq!(LogTag::position_in(&of_before), Some(position));
        for other in ["\"3\"", "*", "\"\"", "\"a:b:c\""] {
            assert_eq!(LogTag::position_in(other), None, "{other}");
        }
    }
}

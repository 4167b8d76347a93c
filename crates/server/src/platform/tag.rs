//! The `ETag` of what is read at a position of a restaurant's log.

use std::fmt;

use chrono::{DateTime, Utc};
use wire::Position;

/// `<epoch>:<seq>:<day>`: the last event that changed anything of what is shown, and when the service
/// day began, in Unix seconds. What is told of other rooms makes no other tag. Lists show what there
/// was since the day began: when it changes they are others, though nothing was done.
///
/// What comes before the second colon is a position. Whoever reads at it or later sees at least what
/// the tag stands for, because nothing of that has changed between there and where the log stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTag {
    position: Position,
    changed: Position,
    day: DateTime<Utc>,
}

impl LogTag {
    /// The tag of what names its position itself, so that the next one is always another.
    #[must_use]
    pub const fn new(position: Position, day: DateTime<Utc>) -> Self {
        Self::since(position, position, day)
    }

    /// The tag of what is read at a position, and has been the same since `changed`.
    #[must_use]
    pub const fn since(changed: Position, position: Position, day: DateTime<Utc>) -> Self {
        Self {
            position,
            changed,
            day,
        }
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
        write!(f, "\"{}:{}\"", self.changed, self.day.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_a_position_in_it() {
        let position: Position = "0191d3a0-0000-7000-8000-000000000001:7".parse().unwrap();
        let head = Position { seq: 9, ..position };
        let day = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1);
        let tag = LogTag::since(position, head, day).to_string();
        assert_eq!(tag, "\"0191d3a0-0000-7000-8000-000000000001:7:86400\"");
        assert_eq!(LogTag::position_in(&tag), Some(position));
        let of_before = format!("\"{position}\"");
        assert_eq!(LogTag::position_in(&of_before), Some(position));
        for other in ["\"3\"", "*", "\"\"", "\"a:b:c\""] {
            assert_eq!(LogTag::position_in(other), None, "{other}");
        }
    }
}

//! What a frame says, found in its bytes without reading them as JSON.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use wire::Seq;

use super::clock::Nanos;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// An event of the log.
    Event { seq: Seq, mark: Option<Mark> },
    /// Everything up to here has been said.
    Position(Seq),
    /// What was missed cannot be told.
    Resync,
    /// Anything else.
    Other,
}

/// What a writer leaves in a guest's notes for those who hear of it: `@`, the time in twenty
/// digits, the worker in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// When the change should have been asked for.
    pub(crate) at: Nanos,
    /// Which worker was asked.
    pub(crate) worker: usize,
}

static NOTES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"notes\":\"@"));
static POSITION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"position\":"));

const TIME_DIGITS: usize = 20;

/// Reads a frame. Events begin with their type and number; so it is in the contract.
pub(crate) fn read(frame: &[u8]) -> Told {
    let Some(rest) = frame.strip_prefix(b"{\"type\":\"") else {
        return Told::Other;
    };
    let Some(end) = memchr::memchr(b'"', rest) else {
        return Told::Other;
    };
    let (kind, rest) = rest.split_at(end);
    match kind {
        b"heartbeat" | b"pong" => after(&POSITION, rest)
            .and_then(number)
            .map_or(Told::Other, Told::Position),
        b"resync_required" => Told::Resync,
        _ => match rest.strip_prefix(b"\",\"seq\":").and_then(number) {
            Some(seq) => Told::Event {
                seq,
                mark: after(&NOTES, rest).and_then(Mark::read),
            },
            None => Told::Other,
        },
    }
}

impl Mark {
    /// As it stands in the notes.
    pub(crate) fn text(self) -> String {
        format!("@{:020}{}", self.at, self.worker.min(9))
    }

    fn read(digits: &[u8]) -> Option<Self> {
        let worker = digits
            .get(TIME_DIGITS)
            .filter(|digit| digit.is_ascii_digit())?;
        Some(Self {
            at: u64::try_from(number(digits.get(..TIME_DIGITS)?)?).ok()?,
            worker: usize::from(worker - b'0'),
        })
    }
}

fn after<'a>(finder: &Finder<'_>, bytes: &'a [u8]) -> Option<&'a [u8]> {
    bytes.get(finder.find(bytes)? + finder.needle().len()..)
}

/// The number at the beginning.
fn number(bytes: &[u8]) -> Option<i64> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    let mut number = None;
    for digit in digits {
        let before: i64 = number.unwrap_or(0);
        number = Some(
            before
                .checked_mul(10)?
                .checked_add(i64::from(digit - b'0'))?,
        );
    }
    number
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;
    use uuid::Uuid;
    use wire::EntityId;
    use wire::live::events::{Action, Envelope, EventKind, FrameParts};

    use super::*;

    #[test]
    fn an_event_as_servers_write_it() {
        let mark = Mark {
            at: 123_456_789_012_345,
            worker: 1,
        };
        let told = |data| {
            let envelope = Envelope {
                kind: EventKind::GuestUpdated,
                restaurant_id: Uuid::nil().into(),
                entity_id: EntityId::Uuid(Uuid::nil()),
                action: Action::InfoUpdated,
                timestamp: DateTime::UNIX_EPOCH,
                actor_id: None,
                transaction_id: None,
            };
            let frame = FrameParts::new(&envelope, &data).unwrap().splice(1042);
            read(frame.as_bytes())
        };
        let (seq, marked) = (1042, Some(mark));
        assert_eq!(
            told(json!({"id": 7, "notes": mark.text(), "seq": 3})),
            Told::Event { seq, mark: marked }
        );
        for notes in ["at the window", "@12", "@000123456789012345x0"] {
            let mark = None;
            assert_eq!(told(json!({ "notes": notes })), Told::Event { seq, mark });
        }
    }

    #[test]
    fn what_is_not_an_event() {
        let heartbeat = br#"{"type":"heartbeat","timestamp":"x","position":8}"#;
        assert_eq!(read(heartbeat), Told::Position(8));
        let resync = br#"{"type":"resync_required","reason":"pruned","epoch":"x","seq":8}"#;
        assert_eq!(read(resync), Told::Resync);
        for other in [
            &br#"{"type":"presence","userCount":1,"seq":3}"#[..],
            br#"{"type":"heartbeat"}"#,
            br#"{"type":"guest_updated","seq":}"#,
            br#"{"type":"guest_updated","seq":99999999999999999999}"#,
            b"nonsense",
            b"",
        ] {
            assert_eq!(read(other), Told::Other);
        }
    }
}

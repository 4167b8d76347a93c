//! What goes over the bus: one message per transaction.
//!
//! A version byte, then a header, then the events, both in postcard. The header comes first so
//! that a worker recognises its own messages, and those it has to look up in the log anyway,
//! without reading the frames. Kinds are written as words, not as numbers of variants: workers of
//! two releases share a bus during a deploy, and a word that one of them does not know makes the
//! message unreadable to it, which costs a look into the log and nothing else.
//!
//! Behind the events may stand remarks: a byte that says what it is, and its content. A worker
//! stops reading at the first that it does not know, and workers of before remarks never looked
//! behind the events, so that a new one needs no new version.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use wire::{Epoch, RestaurantId, RootId, Seq};

use crate::bus::{Hint, Incoming};
use crate::event::{Commit, Event, Told};
use crate::trace::{TracePlace, Traced};

/// The first byte of every message of this form.
const VERSION: u8 = 1;

/// The remark of where the transaction stands in a trace.
const TRACE: u8 = 1;

/// The remark of what those hear who follow a thing of their own. It comes before that of the trace:
/// a worker that does not know it has no such followers, and only loses the trace.
const OWN: u8 = 2;

/// Above this many bytes of frames a message only says that they exist.
pub(crate) const MAX_FRAMES: usize = 256 << 10;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    origin: u64,
    restaurant_id: RestaurantId,
    epoch: Epoch,
    last_seq: Seq,
    committed_at_ms: u64,
    /// How many events follow: all of the transaction's, or none.
    events: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record<'a> {
    kind: &'a str,
    frame: &'a str,
    public_frame: Option<&'a str>,
}

/// What the followers of a thing hear of an event: the how many-th of the message.
#[derive(Debug, Serialize, Deserialize)]
struct OwnRecord<'a> {
    event: usize,
    has_left: bool,
    roots: Vec<RootId>,
    frame: &'a str,
}

/// What a message says.
#[derive(Clone, Debug)]
pub(crate) enum Decoded {
    /// It was sent by this worker itself.
    Own,
    Other(Incoming),
}

/// The message is not of this version, or not a message at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl From<postcard::Error> for Unreadable {
    fn from(_: postcard::Error) -> Self {
        Self
    }
}

/// How many bytes of frames the message of a transaction has, about.
pub(crate) fn frames(commit: &Commit) -> usize {
    let frames = commit.events.iter().map(Event::weight).sum();
    if frames > MAX_FRAMES { 0 } else { frames }
}

/// Writes a transaction, or only its last number when it is large.
pub(crate) fn encode(origin: u64, commit: &Commit) -> postcard::Result<Vec<u8>> {
    let frames = frames(commit);
    let events = if frames == 0 {
        &[]
    } else {
        commit.events.as_slice()
    };
    let header = Header {
        origin,
        restaurant_id: commit.restaurant_id,
        epoch: commit.epoch,
        last_seq: commit.range().map_or(0, |(_, last)| last),
        committed_at_ms: commit.committed_at_ms,
        events: events.len(),
    };
    let mut message = Vec::with_capacity(128 + frames);
    message.push(VERSION);
    let mut message = postcard::to_extend(&header, message)?;
    for event in events {
        let record = Record {
            kind: event.kind.as_str(),
            frame: &event.frame,
            public_frame: event.public_frame.as_deref(),
        };
        message = postcard::to_extend(&record, message)?;
    }
    message = encode_own(events, message)?;
    // Of those that are only announced nobody hands on the frames that the message tells of.
    if let Some(traced) = commit.traced.as_ref().filter(|_| !events.is_empty()) {
        message.push(TRACE);
        message = postcard::to_extend(&traced.place, message)?;
    }
    Ok(message)
}

/// Writes the remark of what followers of things hear, if they hear anything.
fn encode_own(events: &[Event], mut message: Vec<u8>) -> postcard::Result<Vec<u8>> {
    let mut records = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Some(own) = &event.own else { continue };
        for (has_left, told) in [(false, &own.now), (true, &own.left)] {
            records.extend(told.as_ref().map(|told| OwnRecord {
                event: at,
                has_left,
                roots: told.roots.to_vec(),
                frame: &told.frame,
            }));
        }
    }
    if records.is_empty() {
        return Ok(message);
    }
    message.push(OWN);
    postcard::to_extend(&records, message)
}

/// Writes only that an event exists.
pub(crate) fn encode_hint(origin: u64, hint: &Hint) -> postcard::Result<Vec<u8>> {
    let header = Header {
        origin,
        restaurant_id: hint.restaurant_id,
        epoch: hint.epoch,
        last_seq: hint.seq,
        committed_at_ms: hint.committed_at_ms,
        events: 0,
    };
    postcard::to_extend(&header, vec![VERSION])
}

/// Reads a message of the channel of `restaurant`. The frames stay where they are in `bytes`.
pub(crate) fn decode(
    own: u64,
    restaurant: RestaurantId,
    message: &[u8],
) -> Result<Decoded, Unreadable> {
    let Some((&VERSION, body)) = message.split_first() else {
        return Err(Unreadable);
    };
    let (header, body) = postcard::take_from_bytes::<Header>(body)?;
    if header.origin == own {
        return Ok(Decoded::Own);
    }
    if header.restaurant_id != restaurant {
        return Err(Unreadable);
    }
    let incoming = if header.events == 0 {
        Incoming::Hint(Hint {
            restaurant_id: restaurant,
            epoch: header.epoch,
            seq: header.last_seq,
            committed_at_ms: header.committed_at_ms,
        })
    } else {
        let shared = Bytes::copy_from_slice(body);
        let (mut events, remarks) = events(&header, &shared)?;
        let remarks = read_own(&shared, remarks, &mut events)?;
        Incoming::Commit(Arc::new(Commit {
            restaurant_id: restaurant,
            epoch: header.epoch,
            committed_at_ms: header.committed_at_ms,
            events,
            traced: traced(remarks),
        }))
    };
    Ok(Decoded::Other(incoming))
}

/// Where the transaction stands in a trace, if the remarks tell. One that cannot be read is none:
/// what a message is for stands before it.
fn traced(remarks: &[u8]) -> Option<Box<Traced>> {
    let (&TRACE, place) = remarks.split_first()? else {
        return None;
    };
    let (place, _) = postcard::take_from_bytes::<TracePlace>(place).ok()?;
    Some(Box::new(Traced::from_afar(place)))
}

/// Reads what followers of things hear, if that is the first remark; what stands behind it.
fn read_own<'a>(
    shared: &Bytes,
    remarks: &'a [u8],
    events: &mut [Event],
) -> Result<&'a [u8], Unreadable> {
    let Some((&OWN, body)) = remarks.split_first() else {
        return Ok(remarks);
    };
    let (records, rest) = postcard::take_from_bytes::<Vec<OwnRecord<'_>>>(body)?;
    for record in records {
        let told = Told {
            roots: record.roots.into(),
            frame: slice(shared, record.frame)?,
        };
        let event = events.get_mut(record.event).ok_or(Unreadable)?;
        let own = Arc::make_mut(event.own.get_or_insert_default());
        let place = if record.has_left {
            &mut own.left
        } else {
            &mut own.now
        };
        *place = Some(told);
    }
    Ok(rest)
}

/// The events, and what stands behind them. All frames share the bytes of the body.
fn events<'a>(header: &Header, shared: &'a Bytes) -> Result<(Vec<Event>, &'a [u8]), Unreadable> {
    let count = Seq::try_from(header.events).map_err(|_| Unreadable)?;
    let first = header.last_seq.checked_sub(count).ok_or(Unreadable)? + 1;
    let mut rest: &[u8] = shared;
    let mut events = Vec::new();
    for seq in first..=header.last_seq {
        let (record, after) = postcard::take_from_bytes::<Record<'_>>(rest)?;
        rest = after;
        events.push(Event {
            seq,
            kind: record.kind.parse().map_err(|_| Unreadable)?,
            frame: slice(shared, record.frame)?,
            public_frame: record.public_frame.map(|f| slice(shared, f)).transpose()?,
            own: None,
        });
    }
    Ok((events, rest))
}

fn slice(shared: &Bytes, part: &str) -> Result<ByteString, Unreadable> {
    shared
        .slice_ref(part.as_bytes())
        .try_into()
        .map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Own;
    use crate::fixtures::{epoch, event};
    use uuid::Uuid;
    use wire::live::events::EventKind;

    const HERE: RestaurantId = RestaurantId(Uuid::from_u128(7));

    fn commit(events: Vec<Event>) -> Commit {
        Commit {
            restaurant_id: HERE,
            epoch: epoch(3),
            committed_at_ms: 1_700_000_000_123,
            events,
            traced: None,
        }
    }

    fn three_events() -> Commit {
        let mut events = vec![event(41), event(42), event(43)];
        events[1].kind = EventKind::TableUpdated;
        events[2].public_frame = Some("{\"ü\":1}".into());
        commit(events)
    }

    fn told(frame: &str) -> Option<Told> {
        Some(Told {
            roots: [RootId(Uuid::from_u128(5)), RootId(Uuid::from_u128(6))].into(),
            frame: frame.to_owned().into(),
        })
    }

    #[test]
    fn others_read_what_was_written() {
        let commit = three_events();
        let message = encode(1, &commit).unwrap();
        let Ok(Decoded::Other(Incoming::Commit(read))) = decode(2, HERE, &message) else {
            panic!("not a commit");
        };
        assert_eq!(*read, commit);
    }

    #[test]
    fn what_followers_of_things_hear_is_a_remark_too() {
        let mut commit = three_events();
        let before = encode(1, &commit).unwrap();
        let (now, left) = (told("{\"now\":1}"), told("{\"left\":1}"));
        commit.events[0].own = Some(Arc::new(Own { now, left }));
        let left = told("{}");
        commit.events[2].own = Some(Arc::new(Own { now: None, left }));
        commit.traced = Some(Box::new(Traced::from_afar(TracePlace {
            trace_id: [7; 16],
            span_id: [8; 8],
            flags: 1,
        })));
        let message = encode(1, &commit).unwrap();
        let Ok(Decoded::Other(Incoming::Commit(read))) = decode(2, HERE, &message) else {
            panic!("not a commit");
        };
        assert_eq!(*read, commit);
        // A worker of before reads its part.
        assert!(message.starts_with(&before));
    }

    /// Workers of two releases share a bus during a deploy.
    #[test]
    fn a_trace_is_a_remark_that_nobody_has_to_understand() {
        let read = |message: &[u8]| match decode(2, HERE, message) {
            Ok(Decoded::Other(Incoming::Commit(read))) => read,
            other => panic!("not a commit: {other:?}"),
        };
        let mut traced = three_events();
        let before = encode(1, &traced).unwrap();
        traced.traced = Some(Box::new(Traced::from_afar(TracePlace {
            trace_id: [7; 16],
            span_id: [8; 8],
            flags: 1,
        })));
        let message = encode(1, &traced).unwrap();
        assert_eq!(*read(&message), traced);
        // Who stops behind the events finds what there was before.
        assert!(message.starts_with(&before));
        assert_eq!(*read(&before), three_events());
        // A remark of a later release, and one that is cut off.
        let later = [before.as_slice(), &[TRACE + 1, 0]].concat();
        assert_eq!(*read(&later), three_events());
        assert_eq!(*read(&message[..message.len() - 1]), three_events());
        traced.events[0].frame = "x".repeat(MAX_FRAMES).into();
        assert!(encode(1, &traced).unwrap().len() < 100);
    }

    #[test]
    fn own_messages_are_recognised() {
        let message = encode(1, &three_events()).unwrap();
        assert!(matches!(decode(1, HERE, &message), Ok(Decoded::Own)));
    }

    #[test]
    fn a_large_transaction_is_only_announced() {
        let mut large = three_events();
        large.events[0].frame = "x".repeat(MAX_FRAMES).into();
        let message = encode(1, &large).unwrap();
        assert!(message.len() < 100, "{}", message.len());
        let Ok(Decoded::Other(Incoming::Hint(hint))) = decode(2, HERE, &message) else {
            panic!("not a hint");
        };
        assert_eq!((hint.epoch, hint.seq), (epoch(3), 43));
        assert_eq!(encode_hint(1, &hint).unwrap(), message);
    }

    #[test]
    fn what_cannot_be_read_is_said_to_be_so() {
        let message = encode(1, &three_events()).unwrap();
        let elsewhere = RestaurantId(Uuid::from_u128(8));
        assert_eq!(decode(2, elsewhere, &message).unwrap_err(), Unreadable);
        let mut newer = message.clone();
        newer[0] = VERSION + 1;
        assert_eq!(decode(2, HERE, &newer).unwrap_err(), Unreadable);
        let unknown = message.windows(5).position(|w| w == b"table").unwrap();
        let mut news = message.clone();
        news[unknown] = b'c';
        assert_eq!(decode(2, HERE, &news).unwrap_err(), Unreadable);
        for length in 0..message.len() {
            assert_eq!(decode(2, HERE, &message[..length]).unwrap_err(), Unreadable);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut message = vec![VERSION];
            message.extend(&bytes);
            _ = decode(2, HERE, &message);
            let mut message = encode(1, &three_events()).unwrap();
            let at = bytes.len() % message.len();
            message.splice(at.., bytes);
            _ = decode(2, HERE, &message);
        }
    }
}

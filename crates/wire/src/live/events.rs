//! Events: one for each entity that a transaction changed, with its final state.

pub use crate::entities::EventKind;
use crate::entities::IdField;
use crate::words::words;
use crate::{EntityId, RestaurantId, Seq, TransactionId, UserId};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

words! {
    /// What changed about the entity; where several apply, the first in this order.
    Action {
        /// It is new.
        Created = "created",
        /// Its status.
        StatusChanged = "status_changed",
        /// A party got a table, or another one.
        TableAssigned = "table_assigned",
        /// A party lost its table.
        TableCleared = "table_cleared",
        /// A table got a party.
        GuestAssigned = "guest_assigned",
        /// A table lost its party.
        GuestCleared = "guest_cleared",
        /// A table stands elsewhere.
        Moved = "moved",
        /// Anything else.
        InfoUpdated = "info_updated",
        /// It is gone.
        Deleted = "deleted",
        /// A booking was called off.
        Cancelled = "cancelled",
        /// A member has a new password, by a link that somebody else made.
        PasswordReset = "password_reset",
        /// A person's data were taken out of everything that is kept.
        Erased = "erased",
        /// A person's data were handed out. Only the audit tells of it.
        Exported = "exported",
        /// An invitation was accepted. Only the audit tells of it, and of the next three.
        Accepted = "accepted",
        /// Who accepted an invitation was made a member.
        Confirmed = "confirmed",
        /// An invitation was taken back.
        Withdrawn = "withdrawn",
        /// A link was made with which a member sets a new password.
        ResetLinkMade = "reset_link_made",
        /// A link was made with which a party, or a booking, is followed. Only the audit tells of it.
        LinkMade = "link_made",
    }
}

/// What is told of an entity that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gone {
    /// The entity.
    pub id: Uuid,
    /// The version with which it went.
    pub version: i32,
}

/// The fields of an event's frame around its `data`, in the order in which they are written.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// What happened to what.
    pub kind: EventKind,
    /// The restaurant in whose log it stands.
    pub restaurant_id: RestaurantId,
    /// The entity.
    pub entity_id: EntityId,
    /// What changed about it.
    pub action: Action,
    /// When the transaction began.
    pub timestamp: DateTime<Utc>,
    /// Who did it; `None` for the passing of time.
    pub actor_id: Option<UserId>,
    /// The client's transaction of which it is part.
    pub transaction_id: Option<TransactionId>,
}

/// A frame with a hole where its sequence number goes.
///
/// The number is known only when the log's head is locked, at the end of the transaction; so the
/// frame is serialized before, and the database and the worker both put the number in the middle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameParts {
    /// Up to and including `"seq":`.
    pub prefix: String,
    /// From the comma after the number to the closing brace.
    pub suffix: String,
}

impl FrameParts {
    /// Serializes an event with `data` as its payload: the entity's state or, at the end of a
    /// client's transaction, the list of entities that it touched.
    ///
    /// # Errors
    /// When `data` cannot be written as JSON, which for the types of this crate does not happen.
    pub fn new(envelope: &Envelope, data: &impl Serialize) -> serde_json::Result<Self> {
        Self::of_type(envelope.kind.as_str(), envelope, data)
    }

    /// The same for everybody: under the public's name for it, and without who did it.
    ///
    /// # Errors
    /// As [`FrameParts::new`].
    pub fn public(envelope: &Envelope, data: &impl Serialize) -> serde_json::Result<Self> {
        let envelope = Envelope {
            actor_id: None,
            ..*envelope
        };
        Self::of_type(envelope.kind.public_type(), &envelope, data)
    }

    /// The same for those who follow the thing, or what it belongs to, and no restaurant.
    ///
    /// # Errors
    /// As [`FrameParts::new`].
    pub fn own(envelope: &Envelope, data: &impl Serialize) -> serde_json::Result<Self> {
        let envelope = Envelope {
            actor_id: None,
            ..*envelope
        };
        Self::of_type(envelope.kind.as_str(), &envelope, data)
    }

    fn of_type(kind: &str, envelope: &Envelope, data: &impl Serialize) -> serde_json::Result<Self> {
        let mut suffix = String::with_capacity(1024);
        quoted(
            &mut suffix,
            "restaurant_id",
            &envelope.restaurant_id.to_string(),
        );
        match (envelope.kind.id_field(), envelope.entity_id) {
            (Some(name), EntityId::Uuid(id)) => quoted(&mut suffix, name, &id.to_string()),
            (Some(name), EntityId::Number(number)) => {
                suffix.push_str(&format!(",\"{name}\":{number}"));
            }
            (None, _) => {}
        }
        let mut field = |name: &str, value: &str| quoted(&mut suffix, name, value);
        // The end of a transaction is about several entities and has no action of its own.
        let is_end = envelope.kind == EventKind::AtomicTransactionComplete;
        if !is_end {
            field("action", envelope.action.as_str());
        }
        field("timestamp", &timestamp(envelope.timestamp));
        if let Some(actor) = envelope.actor_id {
            field("actor_id", &actor.to_string());
        }
        if let Some(transaction) = envelope.transaction_id {
            field("transaction_id", &transaction.to_string());
        }
        suffix.push_str(if is_end {
            ",\"affected_entities\":"
        } else {
            DATA
        });
        suffix.push_str(&serde_json::to_string(data)?);
        suffix.push('}');
        Ok(Self {
            prefix: format!("{{\"type\":\"{kind}\",\"seq\":"),
            suffix,
        })
    }

    /// The frame with its sequence number: the bytes that the log stores and clients receive.
    #[must_use]
    pub fn splice(&self, seq: Seq) -> String {
        let number = seq.to_string();
        let mut frame = String::with_capacity(self.prefix.len() + number.len() + self.suffix.len());
        frame.push_str(&self.prefix);
        frame.push_str(&number);
        frame.push_str(&self.suffix);
        frame
    }
}

/// What those hear whom a thing concerned until an event of it, and does no more:
/// `{"type":"guest_left","seq":…,"restaurant_id":"…","guest_id":"…","timestamp":"…"}`. It says
/// nothing but that, and follows from what a log stores of any event. None where the thing has no
/// UUID of its own.
#[must_use]
pub fn left_frame(
    kind: EventKind,
    restaurant: RestaurantId,
    entity: Uuid,
    timestamp: DateTime<Utc>,
    seq: Seq,
) -> Option<String> {
    let entity_kind = kind.entity()?;
    let IdField::Uuid(name) = entity_kind.id_field() else {
        return None;
    };
    let mut frame = format!("{{\"type\":\"{entity_kind}_left\",\"seq\":{seq}");
    quoted(&mut frame, "restaurant_id", &restaurant.to_string());
    quoted(&mut frame, name, &entity.to_string());
    quoted(&mut frame, "timestamp", &self::timestamp(timestamp));
    frame.push('}');
    Some(frame)
}

/// What stands between a frame's envelope and its data.
const DATA: &str = ",\"data\":";

/// A frame's envelope, up to its `data`, and the JSON of that; `None` for one without. The data
/// come last, and before them are only words, ids and times: nothing that could look like this.
#[must_use]
pub fn split_data(frame: &str) -> Option<(&str, &str)> {
    let (envelope, rest) = frame.split_once(DATA)?;
    Some((envelope, rest.strip_suffix('}')?))
}

/// The frame that [`split_data`] would split into these.
#[must_use]
pub fn with_data(envelope: &str, data: &str) -> String {
    format!("{envelope}{DATA}{data}}}")
}

/// The number of an event, from its frame: what [`FrameParts::splice`] put there.
#[must_use]
pub fn seq_of(frame: &str) -> Option<Seq> {
    // Before it stands only the type, a word without quotes in it.
    let (_, rest) = frame.split_once("\"seq\":")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest.get(..end)?.parse().ok()
}

fn quoted(frame: &mut String, name: &str, value: &str) {
    for part in [",\"", name, "\":\"", value, "\""] {
        frame.push_str(part);
    }
}

/// RFC 3339 in UTC with `Z` and microseconds.
#[must_use]
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DishId;

    #[test]
    fn a_frame_is_json_with_the_number_in_its_place() {
        let envelope = Envelope {
            kind: EventKind::GuestUpdated,
            restaurant_id: RestaurantId(Uuid::nil()),
            entity_id: Uuid::max().into(),
            action: Action::StatusChanged,
            timestamp: DateTime::UNIX_EPOCH,
            actor_id: None,
            transaction_id: None,
        };
        let parts =
            FrameParts::new(&envelope, &serde_json::json!({"id": "x", "notes": "\"\n"})).unwrap();
        let spliced = parts.splice(1042);
        let (envelope, data) = split_data(&spliced).unwrap();
        assert_eq!(data, r#"{"id":"x","notes":"\"\n"}"#);
        assert_eq!(with_data(envelope, data), spliced);
        assert_eq!(seq_of(&spliced), Some(1042));
        let frame: serde_json::Value = serde_json::from_str(&spliced).unwrap();
        assert_eq!(
            frame,
            serde_json::json!({
                "type": "guest_updated",
                "seq": 1042,
                "restaurant_id": Uuid::nil(),
                "guest_id": Uuid::max(),
                "action": "status_changed",
                "timestamp": "1970-01-01T00:00:00.000000Z",
                "data": {"id": "x", "notes": "\"\n"},
            })
        );
    }
    #[test]
    fn who_lost_a_thing_hears_no_more_than_that() {
        let kind = EventKind::GuestDeleted;
        let here = RestaurantId(Uuid::nil());
        let frame = left_frame(kind, here, Uuid::max(), DateTime::UNIX_EPOCH, 7).unwrap();
        let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
        let expected = serde_json::json!({
            "type": "guest_left",
            "seq": 7,
            "restaurant_id": Uuid::nil(),
            "guest_id": Uuid::max(),
            "timestamp": "1970-01-01T00:00:00.000000Z",
        });
        assert_eq!(frame, expected);
        let dish = DishId(17);
        let dish = crate::EntityId::from(dish).as_uuid();
        assert_eq!(
            left_frame(EventKind::DishUpdated, here, dish, DateTime::UNIX_EPOCH, 7),
            None
        );
    }

    #[test]
    fn the_public_hears_of_a_dish_under_the_name_that_it_knows() {
        let envelope = Envelope {
            kind: EventKind::DishUpdated,
            restaurant_id: RestaurantId(Uuid::nil()),
            entity_id: DishId(17).into(),
            action: Action::StatusChanged,
            timestamp: DateTime::UNIX_EPOCH,
            actor_id: Some(UserId(Uuid::max())),
            transaction_id: None,
        };
        let data = serde_json::json!({"dishId": 17});
        let frame = |parts: FrameParts| {
            serde_json::from_str::<serde_json::Value>(&parts.splice(3)).unwrap()
        };
        let staff = frame(FrameParts::new(&envelope, &data).unwrap());
        let public = frame(FrameParts::public(&envelope, &data).unwrap());
        assert_eq!(
            (&staff["type"], &staff["dish_id"], &staff["actor_id"]),
            (
                &serde_json::json!("dish_updated"),
                &serde_json::json!(17),
                &serde_json::json!(Uuid::max())
            )
        );
        assert_eq!(
            (&public["type"], &public["seq"], public.get("actor_id")),
            (
                &serde_json::json!("dishStatusChanged"),
                &serde_json::json!(3),
                None
            )
        );
    }
}

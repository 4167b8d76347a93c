//! How things of the floor are changed together with others, and what all of them have in common.

use serde_json::Value;

use crate::together::kinds::{Fields, Profile};

/// How things of a kind are compared and spoken of: `this` one begins a sentence, `the` one stands
/// within it, and `named` is the name that staff use.
pub(super) const fn profile(
    this: &'static str,
    the: &'static str,
    named: fn(&Fields) -> Option<String>,
) -> Profile {
    Profile {
        this,
        the,
        named,
        words: WORDS,
        derived: DERIVED,
        clashes: CLASHES,
        spell,
    }
}

/// Fields that follow from others, or count.
const DERIVED: &[&str] = &[
    "checkInTime",
    "seatedTime",
    "finishedTime",
    "waitPosition",
    "quotedLowMinutes",
    "quotedHighMinutes",
    "quotedUntil",
    "overQuote",
    "waitedMinutes",
    "quoteErrorMinutes",
    "notifiedAt",
    "notifiedUntil",
    "totalVisits",
    "tableId",
    "currentGuestId",
    "guestId",
    "reservationId",
];

/// A party whose visit took another turn in the meantime must not be seated by an old wish.
const CLASHES: &[(&str, &str)] = &[("tableIds", "status")];

/// What staff call fields whose names are not what they say.
const WORDS: &[(&str, &str)] = &[
    ("tableIds", "table"),
    ("partySize", "party size"),
    ("reservationTime", "time"),
    ("durationMinutes", "duration"),
    ("guestName", "name"),
    ("firstName", "name"),
    ("lastName", "name"),
    ("phone", "telephone number"),
    ("guestPhone", "telephone number"),
    ("email", "e-mail address"),
    ("guestEmail", "e-mail address"),
    ("specialRequests", "special requests"),
    ("dietaryRestrictions", "dietary restrictions"),
    ("quotedWaitMinutes", "quoted wait"),
    ("tableNumber", "number"),
    ("capacity", "number of seats"),
    ("minPartySize", "smallest party"),
    ("position", "place on the plan"),
    ("isActive", "use"),
];

/// Brings what a change asks for into the fields that the thing itself has.
fn spell(patch: &mut Fields) {
    // A word to the rules, not a field.
    patch.remove("allowOverCapacity");
    if let Some(table) = patch.remove("tableId")
        && !patch.contains_key("tableIds")
    {
        let tables = if table.is_null() {
            Vec::new()
        } else {
            vec![table]
        };
        patch.insert("tableIds".to_owned(), Value::Array(tables));
    }
}

/// A field that is a text.
pub(super) fn text<'s>(state: &'s Fields, field: &str) -> Option<&'s str> {
    state.get(field).and_then(Value::as_str)
}

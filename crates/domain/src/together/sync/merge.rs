//! Whether a change that was made offline still fits. Plain functions over the fields of a thing:
//! as it was when the client went away, as it is, and as the client wants it.

use serde_json::{Map, Value};

use crate::checks::trim;

/// The fields of a thing.
pub(super) type Fields = Map<String, Value>;

/// Fields that follow from others, or count; nobody's change is lost in them.
const DERIVED: &[&str] = &[
    "id",
    "restaurantId",
    "version",
    "createdAt",
    "lastUpdated",
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

/// What becomes of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It fits: nobody else changed anything.
    Apply,
    /// It fits: somebody else changed other fields.
    Merge,
    /// Somebody else changed these fields, to something else.
    Conflict(Vec<String>),
    /// What was changed since cannot be told any more.
    Unknown,
}

/// What the client wants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish<'a> {
    /// These fields, as [`asked`] gives them.
    Fields(&'a Fields),
    /// That it is gone.
    Removal,
}

/// Decides. `base` is the thing as the client knew it, if that is still known.
pub(super) fn judge(
    base_version: Option<i32>,
    base: Option<&Fields>,
    present: &Fields,
    wish: Wish<'_>,
) -> Verdict {
    let version = present.get("version").and_then(Value::as_i64);
    if base_version.is_none() || base_version.map(i64::from) == version {
        return Verdict::Apply;
    }
    let is_fulfilled = match wish {
        Wish::Fields(asked) => asked
            .iter()
            .all(|(field, value)| present.get(field) == Some(value)),
        Wish::Removal => false,
    };
    if is_fulfilled {
        return Verdict::Apply;
    }
    let Some(base) = base else {
        return Verdict::Unknown;
    };
    let changed = changed(base, present);
    let clashes: Vec<String> = match wish {
        Wish::Removal => changed.iter().map(|field| (*field).to_owned()).collect(),
        Wish::Fields(asked) => asked
            .iter()
            .filter(|(field, value)| present.get(*field) != Some(value))
            .filter_map(|(field, _)| clash(field, &changed))
            .map(str::to_owned)
            .collect(),
    };
    if !clashes.is_empty() {
        Verdict::Conflict(clashes)
    } else if changed.is_empty() {
        Verdict::Apply
    } else {
        Verdict::Merge
    }
}

/// The fields in which two states of a thing differ, those that follow from others left out.
pub(super) fn changed<'a>(before: &Fields, after: &'a Fields) -> Vec<&'a str> {
    after
        .iter()
        .filter(|(field, value)| before.get(*field) != Some(value))
        .map(|(field, _)| field.as_str())
        .filter(|field| !DERIVED.contains(field))
        .collect()
}

/// What somebody else changed that stands in the way of a field. A party whose visit took another
/// turn in the meantime must not be seated by an old wish.
fn clash<'a>(field: &'a str, changed: &[&'a str]) -> Option<&'a str> {
    if changed.contains(&field) {
        return Some(field);
    }
    (field == "tableIds" && changed.contains(&"status")).then_some("status")
}

/// The fields that a change asks for, spelled and written as the thing itself has them.
pub(super) fn asked(patch: Value, present: &Fields) -> Fields {
    let Value::Object(mut patch) = patch else {
        return Fields::new();
    };
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
    patch
        .into_iter()
        .map(|(field, value)| {
            let value = normal(value, present.get(&field));
            (field, value)
        })
        .collect()
}

/// A value as it is stored: texts without surrounding white space, empty ones not at all, and no
/// list is an empty list.
fn normal(value: Value, like: Option<&Value>) -> Value {
    match value {
        Value::String(text) => match trim(&text) {
            "" => Value::Null,
            trimmed => Value::String(trimmed.to_owned()),
        },
        Value::Null if like.is_some_and(Value::is_array) => Value::Array(Vec::new()),
        value => value,
    }
}

#[cfg(test)]
mod tests;

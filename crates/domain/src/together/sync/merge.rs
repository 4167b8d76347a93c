//! Whether a change that was made offline still fits. Plain functions over the fields of a thing:
//! as it was when the client went away, as it is, and as the client wants it.

use serde_json::Value;

use crate::checks::trim;
use crate::together::kinds::{Fields, Profile};

/// Fields of all things that count, or stay as they are; nobody's change is lost in them.
const OF_ALL: &[&str] = &["id", "restaurantId", "version", "createdAt", "lastUpdated"];

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
    profile: &Profile,
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
    let changed = changed(profile, base, present);
    let clashes: Vec<String> = match wish {
        Wish::Removal => changed.iter().map(|field| (*field).to_owned()).collect(),
        Wish::Fields(asked) => asked
            .iter()
            .filter(|(field, value)| present.get(*field) != Some(value))
            .filter_map(|(field, _)| clash(profile, field, &changed))
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
pub(super) fn changed<'a>(profile: &Profile, before: &Fields, after: &'a Fields) -> Vec<&'a str> {
    after
        .iter()
        .filter(|(field, value)| before.get(*field) != Some(value))
        .map(|(field, _)| field.as_str())
        .filter(|field| !OF_ALL.contains(field) && !profile.derived.contains(field))
        .collect()
}

/// What somebody else changed that stands in the way of a field.
fn clash<'a>(profile: &Profile, field: &'a str, changed: &[&'a str]) -> Option<&'a str> {
    if changed.contains(&field) {
        return Some(field);
    }
    let mut with = profile.clashes.iter().filter(|(of, _)| *of == field);
    with.find_map(|(_, with)| changed.contains(with).then_some(*with))
}

/// The fields that a change asks for, spelled and written as the thing itself has them.
pub(super) fn asked(profile: &Profile, patch: Value, present: &Fields) -> Fields {
    let Value::Object(mut patch) = patch else {
        return Fields::new();
    };
    (profile.spell)(&mut patch);
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

//! Turns what serde says about a value into something to say about a field.

use serde_path_to_error::{Path, Segment};
use wire::FieldError;

use crate::platform::faults;

/// How field names are spelled in an answer.
#[derive(Clone, Copy)]
pub(super) enum Spelling {
    /// As the contract spells them, even where the client wrote snake_case.
    Camel,
    /// As they were given.
    AsGiven,
}

/// The field at fault and what is wrong with it.
pub(super) fn field_error(path: &Path, message: &str, spelling: Spelling) -> FieldError {
    let message = without_place(message);
    let mut field = written(path, spelling);
    // serde reports these two at the parent.
    for (start, says) in [
        ("missing field `", "is required"),
        ("duplicate field `", "is given twice"),
    ] {
        if let Some(name) = message
            .strip_prefix(start)
            .and_then(|rest| rest.strip_suffix('`'))
        {
            push(&mut field, &spelled(name, spelling));
            return FieldError {
                field,
                message: says.to_owned(),
            };
        }
    }
    if field.is_empty() {
        // The whole of it is at fault.
        field.push_str("body");
    }
    FieldError {
        field,
        message: humane(message),
    }
}

fn written(path: &Path, spelling: Spelling) -> String {
    let mut field = String::new();
    for segment in path.iter() {
        if field.len() > faults::NAME {
            break;
        }
        match segment {
            Segment::Seq { index } => {
                field.push('[');
                field.push_str(&index.to_string());
                field.push(']');
            }
            Segment::Map { key } => push(&mut field, &spelled(key, spelling)),
            Segment::Enum { variant } => push(&mut field, variant),
            Segment::Unknown => push(&mut field, "?"),
        }
    }
    field
}

/// Appends a step to a path.
pub(super) fn push(field: &mut String, name: &str) {
    if !field.is_empty() {
        field.push('.');
    }
    field.push_str(name);
}

fn spelled(name: &str, spelling: Spelling) -> String {
    // One byte more, so that it is seen to be cut.
    let name = faults::cut(name, faults::NAME + 1);
    match spelling {
        Spelling::Camel => camel(name),
        Spelling::AsGiven => name.to_owned(),
    }
}

/// `party_size` → `partySize`.
pub(super) fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut raise = false;
    for letter in name.chars() {
        if letter == '_' && !camel.is_empty() {
            raise = true;
        } else if raise {
            camel.extend(letter.to_uppercase());
            raise = false;
        } else {
            camel.push(letter);
        }
    }
    camel
}

/// serde_json ends its messages with " at line 1 column 20".
fn without_place(message: &str) -> &str {
    match message.rfind(" at line ") {
        Some(place) => message.get(..place).unwrap_or(message),
        None => message,
    }
}

/// serde's phrases without the names of Rust types and without the value, which may be a secret.
fn humane(message: &str) -> String {
    let Some((found, wanted)) = message
        .strip_prefix("invalid ")
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return other(message);
    };
    let wanted = noun(wanted);
    match found.split_once(": ") {
        Some(("type", found)) => format!("must be {wanted}, not {}", found_noun(found)),
        Some(("value", found)) if found_noun(found) == "a number" => {
            format!("is out of range for {wanted}")
        }
        _ => format!("must be {wanted}"),
    }
}

fn other(message: &str) -> String {
    if message.starts_with("unknown variant `") {
        let words: Vec<_> = message
            .split_once("expected ")
            .map(|(_, words)| words.split('`').skip(1).step_by(2).collect())
            .unwrap_or_default();
        return format!("must be one of {}", words.join(", "));
    }
    match message {
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type"
        | "number too small to fit in target type" => "must be a whole number in range".to_owned(),
        "invalid float literal" | "cannot parse float from empty string" => {
            "must be a number".to_owned()
        }
        "provided string was not `true` or `false`" => "must be true or false".to_owned(),
        _ if message.starts_with("UUID parsing failed") => "must be an id (a UUID)".to_owned(),
        _ => message.to_owned(),
    }
}

fn noun(expected: &str) -> String {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize" => {
            "a whole number".to_owned()
        }
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a borrowed string" => "a string".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        "a UUID string" | "a formatted UUID string" => "an id (a UUID)".to_owned(),
        "an RFC 3339 formatted date and time string" => {
            "a time such as 2026-01-31T18:30:00Z".to_owned()
        }
        _ if expected.starts_with("struct ") => "an object".to_owned(),
        _ if expected.contains("enum ") => "a known word".to_owned(),
        _ => expected.to_owned(),
    }
}

fn found_noun(found: &str) -> &'static str {
    let first = found.split([' ', '`', '"']).next().unwrap_or_default();
    match first {
        "string" | "character" => "a string",
        "integer" | "floating" => "a number",
        "boolean" => "true or false",
        "null" | "unit" | "Option" => "null",
        "sequence" => "a list",
        "map" => "an object",
        _ => "this",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_for_people() {
        for (serde, ours) in [
            (
                "invalid type: string \"x\", expected i32 at line 1 column 9",
                "must be a whole number, not a string",
            ),
            (
                "invalid type: null, expected a string at line 1 column 9",
                "must be a string, not null",
            ),
            (
                "invalid type: map, expected a sequence",
                "must be a list, not an object",
            ),
            (
                "invalid type: integer `5`, expected struct Login",
                "must be an object, not a number",
            ),
            (
                "invalid length 0, expected struct Login with 2 elements",
                "must be an object",
            ),
            (
                "invalid value: integer `300`, expected u8",
                "is out of range for a whole number",
            ),
            (
                "unknown variant `x`, expected one of `waiting`, `seated`",
                "must be one of waiting, seated",
            ),
            (
                "unknown variant `x`, expected `one` or `two`",
                "must be one of one, two",
            ),
            (
                "invalid digit found in string",
                "must be a whole number in range",
            ),
            (
                "UUID parsing failed: invalid length",
                "must be an id (a UUID)",
            ),
            ("a sentence of our own", "a sentence of our own"),
        ] {
            assert_eq!(humane(without_place(serde)), ours);
        }
    }

    #[test]
    fn camel_case() {
        for (given, camel_case) in [
            ("party_size", "partySize"),
            ("partySize", "partySize"),
            ("x", "x"),
            ("_hidden", "_hidden"),
            ("a__b", "aB"),
        ] {
            assert_eq!(camel(given), camel_case);
        }
    }
}

//! NUL characters, which PostgreSQL's `text` cannot hold.
//!
//! Refused for all bodies and queries here, once, so that no insert ever fails for it.

use serde_json::Value;
use wire::FieldError;

use super::fields::{camel, push};

const MESSAGE: &str = "must not contain NUL characters";

/// The places of a JSON text where a string holds a NUL.
///
/// A raw control character is no JSON, so a NUL can only be written `\u0000`; without these six
/// bytes nothing is parsed twice. (`\\u0000` is a harmless backslash: hence the second look.)
pub(super) fn in_json(body: &[u8]) -> Vec<FieldError> {
    const ESCAPE: &[u8] = b"\\u0000";
    let mut found = Vec::new();
    if body.windows(ESCAPE.len()).any(|bytes| bytes == ESCAPE)
        && let Ok(value) = serde_json::from_slice(body)
    {
        walk(&value, "", &mut found);
    }
    found
}

fn walk(value: &Value, path: &str, found: &mut Vec<FieldError>) {
    match value {
        Value::String(text) => note(text, path, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{index}]"), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let mut path = path.to_owned();
                push(&mut path, &camel(&key.replace('\0', "\u{fffd}")));
                note(key, &path, found);
                walk(member, &path, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The names of a query string whose value holds a NUL.
pub(super) fn in_query(query: &str) -> Vec<FieldError> {
    let mut found = Vec::new();
    if query.contains("%00") {
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            note(&value, &name, &mut found);
        }
    }
    found
}

fn note(text: &str, path: &str, found: &mut Vec<FieldError>) {
    if text.contains('\0') {
        found.push(FieldError {
            field: path.to_owned(),
            message: MESSAGE.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(found: Vec<FieldError>) -> Vec<String> {
        found.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn names_every_place() {
        let body = br#"{"guest_name":"a\u0000b","tags":["ok","\u0000"],"a":{"k\u0000":1},"fine":"\\u0000"}"#;
        assert_eq!(
            fields(in_json(body)),
            ["a.k\u{fffd}", "guestName", "tags[1]"]
        );
        assert_eq!(fields(in_json(br#"{"fine":"\\u0000"}"#)), [""; 0]);
        assert_eq!(fields(in_query("q=a%00b&status=x")), ["q"]);
    }
}

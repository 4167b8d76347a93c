//! Names for ids: learned from what is heard, and asked for at the start.

use std::collections::HashMap;

use serde_json::Value;

/// What ids stand for, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Learns the name of a resource: a table, a party, a booking, a member.
    pub(super) fn learn(&mut self, resource: &Value) {
        if let (Some(id), Some(name)) = (text(resource, "id"), name_of(resource)) {
            self.0.insert(id.to_owned(), name);
        }
    }

    /// Learns the names of a list.
    pub(super) fn learn_all(&mut self, list: &Value) {
        for resource in list.as_array().into_iter().flatten() {
            self.learn(resource);
        }
    }

    /// The name, or the end of the id (its beginning is the time, and much the same for all).
    pub(super) fn of(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| {
            let end: String = id
                .chars()
                .skip(id.chars().count().saturating_sub(6))
                .collect();
            format!("…{end}")
        })
    }
}

/// What a resource calls itself.
pub(super) fn name_of(resource: &Value) -> Option<String> {
    if let Some(number) = text(resource, "tableNumber") {
        return Some(format!("table {number}"));
    }
    if let Some(name) = text(resource, "guestName").or_else(|| text(resource, "name")) {
        return Some(name.to_owned());
    }
    let first = text(resource, "firstName").unwrap_or_default();
    let last = text(resource, "lastName").unwrap_or_default();
    let name = format!("{first} {last}");
    let name = name.trim();
    let name = if name.is_empty() {
        text(resource, "email")?
    } else {
        name
    };
    Some(name.to_owned())
}

/// A field that is a text with something in it.
pub(super) fn text<'v>(resource: &'v Value, field: &str) -> Option<&'v str> {
    resource
        .get(field)?
        .as_str()
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names() {
        let mut names = Names::default();
        names.learn_all(&json!([
            {"id": "t1", "tableNumber": "12"},
            {"id": "g1", "guestName": "John Doe"},
            {"id": "u1", "firstName": "Ada", "lastName": "Byron", "email": "a@b.c"},
            {"id": "u2", "firstName": "", "email": "sam@b.c"},
            {"id": "x"},
        ]));
        assert_eq!(names.of("t1"), "table 12");
        assert_eq!(names.of("g1"), "John Doe");
        assert_eq!(names.of("u1"), "Ada Byron");
        assert_eq!(names.of("u2"), "sam@b.c");
        assert_eq!(names.of("x"), "…x");
        assert_eq!(names.of("0198b2f0-0000-7000-8000-000000abcdef"), "…abcdef");
    }
}

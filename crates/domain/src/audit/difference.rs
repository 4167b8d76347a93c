//! What differs between two states of a thing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Result;

/// What differs in every change, and says nothing.
const ALWAYS: [&str; 2] = ["version", "lastUpdated"];

/// An object's fields, as they are written. Borrowed from the text: states are compared with every
/// write, and most of their fields are the same bytes.
type Fields<'s> = BTreeMap<&'s str, &'s RawValue>;

/// The fields of `before` and of `after` that differ, as JSON; of objects within them again only
/// those that differ. What is no object is given whole.
pub(super) fn difference(before: &RawValue, after: &RawValue) -> Result<(String, String)> {
    let (Some(mut was), Some(mut is)) = (fields(before), fields(after)) else {
        return Ok((before.get().to_owned(), after.get().to_owned()));
    };
    for fields in [&mut was, &mut is] {
        fields.retain(|name, _| !ALWAYS.contains(name));
    }
    differing(&was, &is)
}

fn differing(was: &Fields<'_>, is: &Fields<'_>) -> Result<(String, String)> {
    let (mut before, mut after) = (Object::default(), Object::default());
    for (name, old) in was {
        match is.get(name) {
            None => before.put(name, old.get())?,
            Some(new) if new.get() == old.get() => {}
            Some(new) => {
                let (old_part, new_part) = match (fields(old), fields(new)) {
                    (Some(was), Some(is)) => differing(&was, &is)?,
                    _ => (old.get().to_owned(), new.get().to_owned()),
                };
                before.put(name, &old_part)?;
                after.put(name, &new_part)?;
            }
        }
    }
    for (name, new) in is {
        if !was.contains_key(name) {
            after.put(name, new.get())?;
        }
    }
    Ok((before.finish(), after.finish()))
}

/// The fields of an object; `None` for anything else, and for names that are not plain.
fn fields(json: &RawValue) -> Option<Fields<'_>> {
    json.get()
        .starts_with('{')
        .then(|| Fields::deserialize(&mut serde_json::Deserializer::from_str(json.get())).ok())
        .flatten()
}

/// An object that is being written.
#[derive(Default)]
struct Object(String);

impl Object {
    fn put(&mut self, name: &str, value: &str) -> Result<()> {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&serde_json::to_string(name)?);
        self.0.push(':');
        self.0.push_str(value);
        Ok(())
    }

    fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;

    fn check(before: &Value, after: &Value, differ: (Value, Value)) {
        let (was, is) = difference(
            &to_raw_value(before).unwrap(),
            &to_raw_value(after).unwrap(),
        )
        .unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!((read(&was), read(&is)), differ);
    }

    #[test]
    fn only_what_differs() {
        check(
            &json!({"id": 1, "name": "A \"b\"", "notes": null, "version": 1, "lastUpdated": "x"}),
            &json!({"id": 1, "name": "A \"b\"", "notes": "n", "version": 2, "lastUpdated": "y"}),
            (json!({"notes": null}), json!({"notes": "n"})),
        );
        check(
            &json!({"a": [1]}),
            &json!({"a": [1]}),
            (json!({}), json!({})),
        );
        check(
            &json!({"a": [1], "gone": 1}),
            &json!({"a": [2], "new": 2}),
            (json!({"a": [1], "gone": 1}), json!({"a": [2], "new": 2})),
        );
    }

    #[test]
    fn objects_are_looked_into() {
        check(
            &json!({"settings": {"a": 1, "b": {"c": 1, "version": 1}}, "position": {"x": 1}}),
            &json!({"settings": {"a": 1, "b": {"c": 1, "version": 2}}, "position": null}),
            (
                json!({"settings": {"b": {"version": 1}}, "position": {"x": 1}}),
                json!({"settings": {"b": {"version": 2}}, "position": null}),
            ),
        );
    }

    #[test]
    fn what_is_no_object_is_whole() {
        check(&json!("a"), &json!({"b": 1}), (json!("a"), json!({"b": 1})));
        let odd = json!({"odd \"name\"": 1, "same": 2});
        check(&odd, &json!({"same": 2}), (odd.clone(), json!({"same": 2})));
    }
}

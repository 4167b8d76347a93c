//! What a document tells of people, read without the rest of it.
//!
//! Of a long log nearly everything is something else: a text that is read whole into a tree, most of
//! which is never looked at, costs several times what is needed to pass it over.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use wire::personal::{Tells, fields};

/// A value: what is in it that tells of people, and where.
#[derive(Debug, PartialEq)]
pub(super) enum Told<'d> {
    /// Nothing that matters.
    Nothing,
    /// A text, which tells what the name of its field says.
    Text(Cow<'d, str>),
    /// Several values.
    List(Vec<Told<'d>>),
    /// An object.
    Thing(Thing<'d>),
}

/// An object.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Thing<'d> {
    /// Its `id`, if it is a text.
    pub(super) id: Option<Cow<'d, str>>,
    /// Whether it is a thing by itself, as one with an id or an account is, and no part of another.
    pub(super) stands_alone: bool,
    /// Its numbers, addresses and links.
    pub(super) fields: Vec<(Tells, Cow<'d, str>)>,
    /// What else of it tells something.
    pub(super) parts: Vec<Told<'d>>,
}

/// What the name of a field says.
enum Name {
    Id,
    UserId,
    Tells(Tells),
    Other,
}

impl Name {
    fn of(name: &str) -> Self {
        match (name, fields().get(name)) {
            ("id", _) => Self::Id,
            ("userId", _) => Self::UserId,
            (_, Some(tells @ (Tells::Phone | Tells::Email | Tells::Link))) => Self::Tells(*tells),
            _ => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl Visitor<'_> for OfText {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name::of(name))
            }
        }
        deserializer.deserialize_str(OfText)
    }
}

/// Reads a value; its text too, if it is one that matters.
#[derive(Clone, Copy)]
struct Reader {
    wants_text: bool,
}

impl<'de> Deserialize<'de> for Told<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { wants_text: false }.deserialize(deserializer)
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Told<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Told<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Told<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Told<'de>, E> {
        Ok(Told::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Told<'de>, E> {
        Ok(Told::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Told<'de>, E> {
        Ok(Told::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Told<'de>, E> {
        Ok(Told::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Told<'de>, E> {
        Ok(Told::Nothing)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Told<'de>, E> {
        Ok(self.text(|| Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Told<'de>, E> {
        Ok(self.text(|| Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Told<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element::<Told<'de>>()? {
            if value != Told::Nothing {
                list.push(value);
            }
        }
        Ok(if list.is_empty() {
            Told::Nothing
        } else {
            Told::List(list)
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told<'de>, A::Error> {
        let mut thing = Thing::default();
        while let Some(name) = map.next_key::<Name>()? {
            match name {
                Name::Id => {
                    thing.stands_alone = true;
                    match map.next_value_seed(Reader { wants_text: true })? {
                        Told::Text(id) => thing.id = Some(id),
                        other => thing.add(other),
                    }
                }
                Name::UserId => {
                    thing.stands_alone = true;
                    map.next_value::<IgnoredAny>()?;
                }
                Name::Tells(tells) => match map.next_value_seed(Reader { wants_text: true })? {
                    Told::Text(text) => thing.fields.push((tells, text)),
                    other => thing.add(other),
                },
                Name::Other => thing.add(map.next_value()?),
            }
        }
        Ok(if thing.fields.is_empty() && thing.parts.is_empty() {
            Told::Nothing
        } else {
            Told::Thing(thing)
        })
    }
}

impl Reader {
    fn text<'d>(self, text: impl FnOnce() -> Cow<'d, str>) -> Told<'d> {
        if self.wants_text {
            Told::Text(text())
        } else {
            Told::Nothing
        }
    }
}

impl<'d> Thing<'d> {
    fn add(&mut self, part: Told<'d>) {
        if part != Told::Nothing {
            self.parts.push(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn phone(text: &str) -> (Tells, Cow<'_, str>) {
        (Tells::Phone, text.into())
    }

    #[test]
    fn only_what_tells_is_read() {
        let document = json!({
            "id": "7", "guestName": "Ann", "phone": "1 \"2\"", "email": null, "partySize": 2,
            "quoted": 1.5, "isVip": true, "since": -3, "tags": ["vip", ["phone"]],
            "payer": {"phone": "3", "name": "Bob"}, "table": {"id": 4, "number": "5"},
            "visits": [{"userId": "8", "email": "a@b.c"}, {"notes": "phone"}],
        });
        let text = document.to_string();
        let Told::Thing(thing) = serde_json::from_str(&text).unwrap() else {
            panic!("{text}");
        };
        assert_eq!(thing.id.as_deref(), Some("7"));
        assert!(thing.stands_alone);
        assert_eq!(thing.fields, [phone("1 \"2\"")]);
        let payer = Thing {
            fields: vec![phone("3")],
            ..Thing::default()
        };
        let visit = Thing {
            stands_alone: true,
            fields: vec![(Tells::Email, "a@b.c".into())],
            ..Thing::default()
        };
        let visits = Told::List(vec![Told::Thing(visit)]);
        assert_eq!(thing.parts, [Told::Thing(payer), visits]);
    }

    #[test]
    fn what_tells_nothing_is_nothing() {
        for text in [
            "null",
            "7",
            "\"phone\"",
            "[]",
            "[1, [2]]",
            r#"{"id": "7", "notes": "x"}"#,
        ] {
            assert_eq!(
                serde_json::from_str::<Told>(text).unwrap(),
                Told::Nothing,
                "{text}"
            );
        }
        assert!(serde_json::from_str::<Told>(r#"{"phone": "1""#).is_err());
    }
}

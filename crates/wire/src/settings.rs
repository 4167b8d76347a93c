//! Settings of several rooms in one object.
//!
//! Each room has a struct of what may be set in it (`#[settings]`), and one of what is to change
//! (`#[patch(…)]`); `settings!` makes one object of all of them, in `rooms.rs`. The fields of rooms
//! that were there from the beginning stand in the object itself; a later room has an object of its
//! own under its name, so that no two rooms can want the same field.
//!
//! serde's own `flatten` keeps everything until it knows whose it is, and says of what cannot be
//! read neither where it is nor in which list; so the fields are given to the rooms as they come.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Schema};
use utoipa::openapi::{Ref, RefOr};

/// A struct of which each field can be read by itself.
pub trait Fields: Default {
    /// The field's own name, by one that it may be given; `None` where there is none.
    fn named(name: &str) -> Option<&'static str>;

    /// Reads the value that comes next as the field of this name.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, from: &mut A) -> Result<(), A::Error>;
}

/// What is to change of something.
pub trait Change {
    /// Of what.
    type Of;

    /// Gives it the values that are said, and leaves the others.
    fn make(&self, of: &mut Self::Of);
}

/// Several structs as one.
pub trait Together: Serialize {
    /// Adds to a written value of this type what stands in `stored` under names that none of its
    /// fields has: a newer program may know them.
    fn keep_unknown(stored: &Value, written: &mut Value);
}

/// Adds to an object the fields of another that it does not name.
pub fn keep_unknown<T: Fields>(stored: &Value, written: &mut Value) {
    if let (Value::Object(stored), Value::Object(written)) = (stored, written) {
        for (name, value) in stored {
            if T::named(name).is_none() {
                written.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Whether nothing is said, so that it need not be written either.
pub(crate) fn is_nothing<T: Default + PartialEq>(change: &T) -> bool {
    *change == T::default()
}

/// Reads an object field by field.
///
/// # Errors
/// For what is no object, a field that is given twice, and one that cannot be read.
pub(crate) fn read<'de, T: Fields, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_map(Whole(PhantomData))
}

struct Whole<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<T, A::Error> {
        let (mut whole, mut given) = (T::default(), Vec::new());
        while let Some(name) = from.next_key::<String>()? {
            match T::named(&name) {
                Some(own) if given.contains(&own) => return Err(A::Error::duplicate_field(own)),
                Some(own) => {
                    given.push(own);
                    whole.read(own, &mut from)?;
                }
                None => {
                    from.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(whole)
    }
}

/// The schema of an object whose fields are those of several.
#[derive(Default)]
pub struct Described {
    object: Object,
    referred: Vec<(String, RefOr<Schema>)>,
}

impl Described {
    /// Whose fields stand in the object itself.
    #[must_use]
    pub fn flat<T: ToSchema>(mut self) -> Self {
        if let RefOr::T(Schema::Object(own)) = T::schema() {
            self.object.properties.extend(own.properties);
        }
        T::schemas(&mut self.referred);
        self
    }

    /// What has an object of its own.
    #[must_use]
    pub fn room<T: ToSchema>(mut self, name: &str) -> Self {
        let reference = Ref::from_schema_name(T::name());
        self.object
            .properties
            .insert(name.to_owned(), reference.into());
        self.referred.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.referred);
        self
    }

    /// The whole, with the sentences of its documentation.
    #[must_use]
    pub fn object(mut self, sentences: &[&str]) -> RefOr<Schema> {
        let lines: Vec<&str> = sentences.iter().map(|line| line.trim()).collect();
        self.object.description = Some(lines.join("\n"));
        Schema::Object(self.object).into()
    }

    /// What it refers to.
    #[must_use]
    pub fn referred(self) -> Vec<(String, RefOr<Schema>)> {
        self.referred
    }
}

/// Makes one object of the settings of rooms, and one of what is to change in them. A line for each
/// room; `#[serde(flatten)]` where its fields stand in the object itself.
///
/// ```text
/// settings! {
///     /// How a restaurant works.
///     RestaurantSettings,
///     /// A change of settings.
///     UpdateSettings:
///     /// The waiting list and the tables.
///     #[serde(flatten)]
///     floor: FloorSettings, UpdateFloorSettings;
///     /// Numbers and counters; `settings.queue`.
///     queue: QueueSettings, UpdateQueueSettings;
/// }
/// ```
macro_rules! settings {
    (
        $(#[doc = $doc:literal])+
        $settings:ident,
        $(#[doc = $change_doc:literal])+
        $change:ident:
        $(
            $(#[doc = $room_doc:literal])+
            $(#[serde($flat:ident)])?
            $room:ident: $of:ty, $change_of:ty;
        )+
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
        pub struct $settings {
            $(
                $(#[doc = $room_doc])+
                $(#[serde($flat)])?
                pub $room: $of,
            )+
        }

        $(#[doc = $change_doc])+
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
        pub struct $change {
            $(
                $(#[doc = $room_doc])+
                #[serde($($flat,)? skip_serializing_if = "crate::settings::is_nothing")]
                pub $room: $change_of,
            )+
        }

        impl $crate::settings::Change for $change {
            type Of = $settings;

            fn make(&self, of: &mut $settings) {
                $($crate::settings::Change::make(&self.$room, &mut of.$room);)+
            }
        }

        impl $crate::settings::Together for $settings {
            fn keep_unknown(stored: &serde_json::Value, written: &mut serde_json::Value) {
                $crate::settings::keep_unknown::<Self>(stored, written);
                $(settings!(@keep [$($flat)?] $room: $of, stored, written);)+
            }
        }

        settings!(@object $settings, [$($doc)+]: $([$($flat)?] $room: $of;)+);
        settings!(@object $change, [$($change_doc)+]: $([$($flat)?] $room: $change_of;)+);
    };

    (@object $whole:ident, [$($doc:literal)+]: $([$($flat:ident)?] $room:ident: $of:ty;)+) => {
        impl<'de> serde::Deserialize<'de> for $whole {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::settings::read(from)
            }
        }

        impl $crate::settings::Fields for $whole {
            fn named(name: &str) -> Option<&'static str> {
                $(settings!(@named [$($flat)?] $room: $of, name);)+
                None
            }

            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                from: &mut A,
            ) -> Result<(), A::Error> {
                $(settings!(@read [$($flat)?] $room: $of, self, name, from);)+
                from.next_value::<serde::de::IgnoredAny>().map(|_| ())
            }
        }

        impl $whole {
            fn described() -> $crate::settings::Described {
                let all = $crate::settings::Described::default();
                $(let all = settings!(@describe [$($flat)?] $room: $of, all);)+
                all
            }
        }

        impl utoipa::PartialSchema for $whole {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                Self::described().object(&[$($doc),+])
            }
        }

        impl utoipa::ToSchema for $whole {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($whole).into()
            }

            fn schemas(
                referred: &mut Vec<(
                    String,
                    utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>,
                )>,
            ) {
                referred.extend(Self::described().referred());
            }
        }
    };

    (@named [flatten] $room:ident: $of:ty, $name:ident) => {
        if let Some(own) = <$of as $crate::settings::Fields>::named($name) {
            return Some(own);
        }
    };
    (@named [] $room:ident: $of:ty, $name:ident) => {
        if $name == stringify!($room) {
            return Some(stringify!($room));
        }
    };

    (@read [flatten] $room:ident: $of:ty, $self:ident, $name:ident, $from:ident) => {
        if <$of as $crate::settings::Fields>::named($name).is_some() {
            return $crate::settings::Fields::read(&mut $self.$room, $name, $from);
        }
    };
    (@read [] $room:ident: $of:ty, $self:ident, $name:ident, $from:ident) => {
        if $name == stringify!($room) {
            $self.$room = $from.next_value()?;
            return Ok(());
        }
    };

    (@keep [flatten] $room:ident: $of:ty, $stored:ident, $written:ident) => {};
    (@keep [] $room:ident: $of:ty, $stored:ident, $written:ident) => {
        if let (Some(stored), Some(written)) =
            ($stored.get(stringify!($room)), $written.get_mut(stringify!($room)))
        {
            $crate::settings::keep_unknown::<$of>(stored, written);
        }
    };

    (@describe [flatten] $room:ident: $of:ty, $all:ident) => { $all.flat::<$of>() };
    (@describe [] $room:ident: $of:ty, $all:ident) => { $all.room::<$of>(stringify!($room)) };
}
pub(crate) use settings;

#[cfg(test)]
#[expect(unreachable_pub, reason = "what the macro makes is for other crates")]
mod tests {
    use fields::{patch, settings as section};
    use serde::{Deserialize, Serialize};
    use serde_json::json;
    use utoipa::ToSchema;

    use super::*;
    use crate::patch::Clearable;

    /// What was there from the beginning.
    #[section]
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    pub struct Old {
        /// Minutes.
        pub turn_minutes: i32,
        /// Words.
        pub tags: Option<Vec<String>>,
    }

    /// A change of it.
    #[patch(Old)]
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    pub struct UpdateOld {
        /// Minutes.
        pub turn_minutes: Option<i32>,
        /// Words.
        #[most(3)]
        pub tags: Clearable<Vec<String>>,
    }

    /// A later room.
    #[section]
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    pub struct New {
        /// Minutes, too.
        pub turn_minutes: i32,
    }

    /// A change of it.
    #[patch(New)]
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    pub struct UpdateNew {
        /// Minutes, too.
        pub turn_minutes: Option<i32>,
    }

    settings! {
        /// All.
        All,
        /// A change.
        UpdateAll:
        /// The old.
        #[serde(flatten)]
        old: Old, UpdateOld;
        /// The new.
        queue: New, UpdateNew;
    }

    fn change(json: Value) -> Result<UpdateAll, String> {
        serde_json::from_value(json).map_err(|error| error.to_string())
    }

    #[test]
    fn each_room_reads_its_own() {
        let said = json!({"turn_minutes": 5, "tags": null, "queue": {"turnMinutes": 7}, "x": [1]});
        let said = change(said).unwrap();
        let written = json!({"turnMinutes": 5, "tags": null, "queue": {"turnMinutes": 7}});
        assert_eq!(serde_json::to_value(&said).unwrap(), written);
        let mut all: All = serde_json::from_value(json!({"tags": ["a", "b", "c", "d"]})).unwrap();
        said.make(&mut all);
        assert_eq!((all.old.turn_minutes, all.queue.turn_minutes), (5, 7));
        assert_eq!(all.old.tags, None);
        assert_eq!(serde_json::to_value(&all).unwrap(), written);
        let nothing = change(json!({})).unwrap();
        assert_eq!(serde_json::to_value(&nothing).unwrap(), json!({}));
        let before = all.clone();
        nothing.make(&mut all);
        assert_eq!(all, before);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (said, why) in [
            (
                json!({"turnMinutes": 1, "turn_minutes": 1}),
                "duplicate field `turnMinutes`",
            ),
            (
                json!({"turnMinutes": null}),
                "invalid type: null, expected i32",
            ),
            (
                json!({"queue": null}),
                "invalid type: null, expected struct UpdateNew",
            ),
            (
                json!({"tags": ["a", "b", "c", "d"]}),
                "must have at most 3 entries",
            ),
            (json!([1]), "invalid type: sequence, expected an object"),
        ] {
            assert_eq!(change(said.clone()), Err(why.to_owned()), "{said}");
        }
    }

    #[test]
    fn what_a_newer_program_has_set_stays() {
        let stored = json!({
            "turnMinutes": 5, "turn_minutes": 4, "kitchen": {"heat": 3},
            "queue": {"turnMinutes": 7, "calls": 2},
        });
        let mut written = serde_json::to_value(All::default()).unwrap();
        All::keep_unknown(&stored, &mut written);
        let expected = json!({
            "turnMinutes": 0, "tags": null, "kitchen": {"heat": 3},
            "queue": {"turnMinutes": 0, "calls": 2},
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn one_object_is_described() {
        let schema = serde_json::to_value(<All as utoipa::PartialSchema>::schema()).unwrap();
        let fields = schema["properties"].as_object().unwrap();
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!(schema["description"], "All.");
        assert_eq!(
            schema["properties"]["queue"]["$ref"],
            "#/components/schemas/New"
        );
        let mut referred = Vec::new();
        All::schemas(&mut referred);
        assert!(referred.iter().any(|(name, _)| name == "New"));
    }
}

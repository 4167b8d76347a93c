//! Lists of requests, which are counted while they are read: what comes after the last entry that
//! a list may have is refused at once, and nothing of it is kept.
//!
//! For `deserialize_with`: every list of a request names the most that it may have.
//! `#[serde(deserialize_with = "lists::optional::<30, _, _>")]`

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::patch::Clearable;

/// A list of at most so many entries.
struct AtMost<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for AtMost<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

struct Entries<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Entries<T, MOST> {
    type Value = AtMost<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < MOST {
            match entries.next_element()? {
                Some(entry) => list.push(entry),
                None => return Ok(AtMost(list)),
            }
        }
        match entries.next_element::<IgnoredAny>()? {
            None => Ok(AtMost(list)),
            Some(_) => Err(A::Error::custom(format_args!(
                "must have at most {MOST} entries"
            ))),
        }
    }
}

/// A list that has to be there.
///
/// # Errors
/// For what is no list, an entry that is none, and more than `MOST` entries.
pub fn required<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    AtMost::<T, MOST>::deserialize(deserializer).map(|list| list.0)
}

/// A list that may be absent or `null`; to be used with `default`.
///
/// # Errors
/// As [`required`].
pub fn optional<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<AtMost<T, MOST>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.0))
}

/// A list that may be absent but not `null`; to be used with `default`.
///
/// # Errors
/// As [`required`].
pub fn present<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    required::<MOST, D, T>(deserializer).map(Some)
}

/// A list that is left when it is absent and cleared by `null`; to be used with `default`.
///
/// # Errors
/// As [`required`].
pub fn clearable<'de, const MOST: usize, D, T>(
    deserializer: D,
) -> Result<Clearable<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    optional::<MOST, D, T>(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts how many were read.
    #[derive(Debug)]
    struct Counted;

    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            READ.set(READ.get() + 1);
            IgnoredAny::deserialize(deserializer).map(|_| Self)
        }
    }

    #[derive(Deserialize, Debug)]
    struct Lists {
        #[serde(default, deserialize_with = "optional::<3, _, _>")]
        optional: Option<Vec<Counted>>,
        #[serde(default, deserialize_with = "present::<3, _, _>")]
        present: Option<Vec<Counted>>,
        #[serde(default, deserialize_with = "clearable::<3, _, _>")]
        clearable: Clearable<Vec<Counted>>,
    }

    fn read(json: &str) -> Result<Lists, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let entries = vec!["{}"; 340_000].join(",");
        for name in ["optional", "present", "clearable"] {
            READ.set(0);
            let error = read(&format!("{{\"{name}\":[{entries}]}}")).unwrap_err();
            assert!(error.starts_with("must have at most 3 entries"), "{error}");
            assert_eq!(READ.get(), 3);
        }
    }

    #[test]
    fn absent_null_and_full() {
        let none = read("{}").unwrap();
        assert!(none.optional.is_none() && none.present.is_none() && none.clearable.is_none());
        let null = read(r#"{"optional":null,"clearable":null}"#).unwrap();
        assert!(null.optional.is_none() && matches!(null.clearable, Some(None)));
        assert!(read(r#"{"present":null}"#).is_err() && read(r#"{"optional":{}}"#).is_err());
        let full = read(r#"{"present":[1,2,3]}"#).unwrap();
        assert_eq!(full.present.map(|list| list.len()), Some(3));
    }
}

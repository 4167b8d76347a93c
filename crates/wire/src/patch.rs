//! Fields of a PUT: absent means "leave it", `null` means "clear it".

use std::ops::Deref;

use serde::{Deserialize, Deserializer};

/// A field that can be cleared: absent is `None`, `null` is `Some(None)`.
pub type Clearable<T> = Option<Option<T>>;

/// The value that a field is given: `None` where it is left or cleared.
pub fn given<T: Deref>(field: &Clearable<T>) -> Option<&T::Target> {
    field.as_ref()?.as_deref()
}

/// Deserializes a field that may be absent but not `null`.
///
/// # Errors
/// When the value, `null` included, is not a `T`.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Deserializes a [`Clearable`] field.
///
/// # Errors
/// When the value is neither `null` nor a `T`.
pub fn clearable<'de, D, T>(deserializer: D) -> Result<Clearable<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

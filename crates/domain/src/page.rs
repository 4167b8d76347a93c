//! Pages of a list: a limit and an opaque cursor that names the last row of the page before.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result};

/// A part of a list, and where the next part begins.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// What to hand in for the next page; `None` after the last.
    pub next: Option<String>,
}

/// How many rows a page has: 200 when nothing is asked for.
///
/// # Errors
/// [`Error::Invalid`] outside 1–1000.
pub fn limit(asked: Option<i64>) -> Result<i64> {
    match asked {
        None => Ok(200),
        Some(limit @ 1..=1000) => Ok(limit),
        Some(_) => Err(Error::invalid("limit", "must be between 1 and 1000")),
    }
}

/// What a cursor says: the sort key of the last row of the page before.
///
/// # Errors
/// [`Error::Invalid`] for text that [`paged`] did not make.
pub fn after<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>> {
    cursor
        .map(|cursor| {
            URL_SAFE_NO_PAD
                .decode(cursor)
                .ok()
                .and_then(|json| key(&json))
                .ok_or_else(|| Error::invalid("cursor", "is not one that a page gave"))
        })
        .transpose()
}

/// A sort key that a client may have written: PostgreSQL takes no text with a NUL in it, and moments
/// are read as all of the clients' are.
fn key<K: DeserializeOwned>(json: &[u8]) -> Option<K> {
    let value: Value = serde_json::from_slice(json).ok()?;
    (!has_nul(&value)).then(|| serde_json::from_value(value).ok())?
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// Makes a page of `limit + 1` rows that were asked for: the extra row says that there are more.
///
/// # Errors
/// When the key cannot be written, which does not happen.
pub fn paged<T, K: Serialize>(
    mut items: Vec<T>,
    limit: i64,
    key: impl Fn(&T) -> K,
) -> Result<Page<T>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if items.len() <= limit {
        return Ok(Page { items, next: None });
    }
    items.truncate(limit);
    let next = match items.last() {
        Some(last) => Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&key(last))?)),
        None => None,
    };
    Ok(Page { items, next })
}

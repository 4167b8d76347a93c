//! What all things with a version have in common.

use crate::{Error, Result};

/// Refuses a change that was made for another version than the present one.
pub(crate) fn check_version<T: serde::Serialize>(
    asked: Option<i32>,
    present: i32,
    current: impl FnOnce() -> T,
) -> Result<()> {
    match asked {
        Some(asked) if asked != present => {
            Err(Error::Stale(Box::new(serde_json::to_value(current())?)))
        }
        _ => Ok(()),
    }
}

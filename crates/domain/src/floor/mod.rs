//! The floor: guests, tables, reservations, who sits where and who has booked what.

pub mod atomic;
pub mod availability;
pub mod batch;
pub mod changes;
pub mod dashboard;
pub mod day;
pub mod due;
pub mod guests;
pub mod holds;
mod locks;
mod occupancy;
mod present;
pub mod reservations;
pub(crate) mod reserved;
mod seating;
pub mod snapshot;
pub mod sync;
pub mod tables;
pub mod waitlist;

use std::str::FromStr;

use crate::{Error, Result};

/// Reads a filter of words that are separated by commas.
pub(crate) fn words<T: FromStr<Err = wire::errors::UnknownWord> + PartialEq>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<Vec<T>>> {
    text.map(|text| {
        text.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .try_fold(Vec::new(), |mut words, word| {
                let word = word
                    .parse()
                    .map_err(|error: T::Err| Error::invalid(field, error.to_string()))?;
                // So it has no more words than there are.
                if !words.contains(&word) {
                    words.push(word);
                }
                Ok(words)
            })
    })
    .transpose()
}

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

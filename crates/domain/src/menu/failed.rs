//! Rows of a file that are at fault.

use wire::{ErrorCode, FieldError, ItemError};

use super::transfer::Row;
use crate::{Error, Result};

/// Rows that are named when they are at fault; of the rest it is said how many there are.
const FAILED: usize = 10;

/// Rows that are at fault. A file may have thousands, of which nobody is told more than a few.
#[derive(Default)]
pub(super) struct Failed {
    told: Vec<ItemError>,
    more: usize,
}

impl Failed {
    pub(super) fn push<T>(&mut self, list: &str, row: &Row<T>, faults: Vec<FieldError>) {
        if self.told.len() < FAILED {
            self.told.push(failure(list, row, faults));
        } else {
            self.more += 1;
        }
    }

    pub(super) fn check(self, of: usize) -> Result<()> {
        if self.told.is_empty() {
            return Ok(());
        }
        Err(Error::Items {
            failed: self.told,
            more: self.more,
            of,
        })
    }
}

/// Names a row that is at fault.
fn failure<T>(list: &str, row: &Row<T>, faults: Vec<FieldError>) -> ItemError {
    let place = match row.line {
        Some(line) => format!("Line {line}"),
        None => format!("{list}[{}]", row.index),
    };
    let said: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.message))
        .collect();
    ItemError {
        index: row.index,
        line: row.line,
        entity: None,
        id: None,
        code: ErrorCode::Invalid,
        error: format!("{place}: {}.", said.join("; ")),
        fields: match row.line {
            Some(_) => faults,
            None => faults
                .into_iter()
                .map(|fault| FieldError {
                    field: format!("{place}.{}", fault.field),
                    ..fault
                })
                .collect(),
        },
        current: None,
    }
}

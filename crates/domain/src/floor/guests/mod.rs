//! Guests: parties that are here or waiting.

mod input;
mod list;
mod operations;
mod row;
mod rules;

pub use list::{floor, list};
pub(super) use operations::{Leave, create_as, leave_tables, link, lock_row};
pub use operations::{create, delete, get, update};

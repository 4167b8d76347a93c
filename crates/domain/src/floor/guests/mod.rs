//! Guests: parties that are here or waiting.

mod erasure;
mod input;
mod list;
mod operations;
mod row;
mod rules;

pub(crate) use erasure::{erase, lock_rows, some};
pub use list::{floor, list};
pub(super) use operations::{Leave, create_as, leave_tables, link, lock_row};
pub use operations::{create, delete, get, update};

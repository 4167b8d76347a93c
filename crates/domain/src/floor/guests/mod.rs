//! Guests: parties that are here or waiting.

mod before;
mod create;
mod erasure;
mod input;
mod list;
mod operations;
mod quotes;
mod row;
mod rules;
mod times;
mod waiting;

pub use create::create;
pub(crate) use create::{create_all, create_as, is_to_wait};
pub(crate) use erasure::{erase, lock_rows, some};
pub use list::{floor, list};
pub(crate) use operations::{Leave, among, leave_tables, link, lock_row, pass_time};
pub use operations::{delete, get, update};
pub use quotes::kept;
#[cfg(test)]
pub(super) use row::GuestRow;
pub(crate) use waiting::{defer, flush, is_in_line, lock as lock_queue, sort_as_in_line};

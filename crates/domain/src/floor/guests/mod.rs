//! Guests: parties that are here or waiting.

mod before;
mod create;
mod erasure;
mod input;
mod list;
mod operations;
mod queue;
mod quotes;
mod row;
mod rules;
mod times;

pub use create::create;
pub(super) use create::{create_all, create_as, is_to_wait};
pub(crate) use erasure::{erase, lock_rows, some};
pub use list::{floor, list};
pub(super) use operations::{Leave, among, leave_tables, link, lock_row, pass_time};
pub use operations::{delete, get, update};
pub(super) use queue::{defer, flush, is_in_line, lock as lock_queue, sort_as_in_line};
pub use quotes::kept;

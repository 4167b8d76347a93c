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
pub(super) use create::create_as;
pub(crate) use erasure::{erase, lock_rows, some};
pub use list::{floor, list};
pub(super) use operations::{Leave, leave_tables, link, lock_row, pass_time};
pub use operations::{delete, get, update};
pub(super) use queue::lock as lock_queue;
pub use quotes::kept;

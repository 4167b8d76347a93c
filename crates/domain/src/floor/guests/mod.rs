//! Guests: parties that are here or waiting.

mod before;
mod create;
mod erasure;
mod input;
mod list;
mod operations;
mod own;
mod quotes;
mod row;
mod rules;
mod times;
mod together;
mod waiting;

pub use create::create;
use create::create_all;
pub(crate) use create::create_as;
pub(crate) use erasure::OfPerson;
pub use list::{floor, list};
use operations::among;
pub(crate) use operations::{Leave, leave_tables, link, lock_row, pass_time};
pub use operations::{delete, get, update};
pub(crate) use own::{Parties as HeldParties, follow_booking};
pub use own::{cancel_own, get_own, make_link};
pub use quotes::kept;
#[cfg(test)]
pub(super) use row::GuestRow;
use waiting::is_in_line;
pub(crate) use waiting::{defer, flush, lock as lock_queue, sort_as_in_line};

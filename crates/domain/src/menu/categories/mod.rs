//! Categories: the parts of a menu.

mod operations;
mod row;

pub(super) use operations::{check, check_room, fresh, lock_all, patched, rows};
pub use operations::{create, delete, get, list, update};
pub(super) use row::CategoryRow;

//! Dishes.

mod list;
mod operations;
mod row;
mod rules;

pub use list::{all, list};
pub(super) use operations::{MOST, count, fresh, insert_numbers};
pub use operations::{create, delete, get, toggle, update};
pub(super) use row::DishRow;
pub(super) use rules::{check, patched};

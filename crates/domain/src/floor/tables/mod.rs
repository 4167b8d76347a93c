//! Tables on the floor plan.

mod list;
mod operations;
mod row;

pub use list::{floor, list};
pub(super) use operations::save;
pub use operations::{clear, create, delete, get, update};
pub(super) use row::TableRow;

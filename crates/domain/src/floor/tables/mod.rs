//! Tables on the floor plan.

mod list;
mod operations;
mod row;
mod together;

pub use list::{floor, list};
pub use operations::{clear, create, delete, get, update};
pub(crate) use operations::{create_as, some};
pub(crate) use row::{TableRow, TableState};

//! How long a party that comes now would wait.

pub(crate) mod delays;
mod model;
mod read;
mod stays;

pub use model::{Claim, Floor, FloorTable, Quotes, Sitting, Turn};
pub use read::ask;
pub(super) use read::{keep, quotes};

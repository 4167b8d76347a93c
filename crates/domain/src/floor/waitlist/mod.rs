//! How long a party that comes now would wait.

mod model;
mod read;
mod stays;

pub use model::{Claim, Floor, FloorTable, Sitting, Turn, quote as estimate};
pub use read::{ask, quote};

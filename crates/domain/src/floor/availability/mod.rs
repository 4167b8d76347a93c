//! What a house can offer: opening hours, pauses, pacing, turn times, and which tables are free.

mod choose;
mod plan;
mod read;

pub(super) use choose::{Wish, choose, taken};
pub use plan::{Arrival, Ask, Busy, Closed, House, PlanTable};
pub use read::day;

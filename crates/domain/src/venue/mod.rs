//! The restaurant itself, and how it wants to work.

pub(crate) mod day;
pub mod restaurants;
pub(crate) mod settings;

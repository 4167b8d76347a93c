//! The restaurant itself, and how it wants to work.

pub mod restaurants;
pub mod settings;
pub mod snapshot;

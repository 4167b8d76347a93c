//! The restaurant itself.

pub mod restaurants;

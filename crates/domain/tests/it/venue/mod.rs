//! The restaurant itself.

mod restaurants;
mod settings;

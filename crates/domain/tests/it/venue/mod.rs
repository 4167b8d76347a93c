//! The restaurant itself.

mod restaurants;

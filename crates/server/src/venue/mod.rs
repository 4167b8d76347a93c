//! The restaurant itself.

pub mod restaurants;
mod routes;

pub use routes::routes;

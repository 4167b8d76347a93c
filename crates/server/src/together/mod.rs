//! Several changes in one request.

pub mod atomic;
pub mod batch;
mod items;
mod routes;
pub mod sync;

pub use routes::routes;

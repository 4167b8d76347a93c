//! Several changes in one request.

pub mod atomic;
pub mod batch;
mod items;
pub mod sync;
mod routes;

pub use routes::routes;

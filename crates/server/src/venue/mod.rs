//! The restaurant itself.

pub mod restaurants;
mod routes;
pub mod snapshot;

pub use routes::routes;

crate::platform::reply::versioned!(wire::venue::restaurants::Restaurant,);

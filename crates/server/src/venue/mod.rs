//! The restaurant itself.

pub mod restaurants;
pub mod snapshot;

crate::platform::reply::versioned!(wire::venue::restaurants::Restaurant,);

//! The restaurant itself.

pub mod restaurants;

crate::platform::reply::versioned!(wire::venue::restaurants::Restaurant,);

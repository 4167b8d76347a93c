//! Who is who: logins, devices, members, the restaurant.

pub mod auth;
pub mod device;
pub mod invitations;
pub mod restaurants;
pub mod sessions;
pub mod users;

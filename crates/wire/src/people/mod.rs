//! Who is calling: accounts, devices, members of a restaurant.

pub mod auth;
pub mod invitations;
pub mod sessions;
pub mod users;

//! Who is who: logins, devices, members.

pub mod auth;
pub mod defaults;
pub mod invitations;
mod routes;
pub mod sessions;
pub mod users;
pub mod work;

pub use routes::routes;

crate::platform::reply::versioned!(wire::people::users::User,);

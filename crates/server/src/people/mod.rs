//! Who is who: logins, devices, members.

pub mod auth;
pub mod device;
pub mod invitations;
pub mod sessions;
pub mod users;

crate::platform::reply::versioned!(wire::people::users::User,);

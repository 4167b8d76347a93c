//! Users: the members of a restaurant, as their managers see them.
//!
//! An account may be a member of several restaurants, so a restaurant decides what a member may do
//! *there*: role and whether active. Names and password are the account's own. A restaurant may
//! change them if it made the account and while it is the account's only one, and never those of
//! the platform's admins: whoever could would take over, by adding its address, an account that
//! other restaurants trust or will trust.
//!
//! Everyone who changes members locks the restaurant's row first, so that two who remove the last
//! two owners meet there, and the second finds that there is one left.

mod input;
mod list;
mod operations;
mod row;
mod rules;

pub use input::{check_create, check_update};
pub use list::{get, list};
pub use operations::{create, delete, update};

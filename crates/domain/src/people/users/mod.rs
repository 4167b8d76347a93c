//! Users: the members of a restaurant, as their managers see them.
//!
//! An account may be a member of several restaurants, so a restaurant decides what a member may do
//! *there*: role and whether active. How an account becomes a member is in [`super::invitations`].
//! Names and password are the account's own, and no restaurant sets them: whoever could would take
//! over an account that other restaurants trust or will trust. Who has forgotten a password gets a
//! link from a restaurant that is the account's only one ([`make_reset_link`]). Everybody may leave.
//!
//! Everyone who changes members locks the restaurant's row first, so that two who remove the last
//! two owners meet there, and the second finds that there is one left.

mod input;
mod list;
mod operations;
mod reset;
mod row;
mod rules;

pub(super) use input::check_role;
pub use list::{get, list};
pub(super) use operations::join;
pub use operations::{delete, rename, update};
pub use reset::{
    ResetFace, look_at_reset, make_reset_link, reset_password, reset_scope, sweep_expired_resets,
};
pub(super) use rules::{check_manages, is_member};

//! Invitations: how an account becomes a member of a restaurant.
//!
//! Three steps, of which none can be left out: somebody who may manage the role invites and hands
//! the link on; whoever has the link accepts, for an account of their own; and somebody who may
//! manage the role looks at who that is, and confirms. Only then there is a membership. So nobody
//! becomes a member without wanting it, and nobody who merely came by a link is let in.
//!
//! An invitation belongs to its link. Address and names on it are notes of whoever invited: nothing
//! is looked up by them, so that nothing can be learned of an address by inviting it.
//!
//! No event tells of an invitation, the audit does. **Locks**: restaurant, invitation, account,
//! head.

mod accept;
mod erasure;
mod list;
mod operations;
mod row;

pub use accept::{accept, check_register, look, register, scope_of};
pub(crate) use erasure::OfPerson;
pub use list::{get, list};
pub use operations::{Made, confirm, create, sweep_expired, withdraw};

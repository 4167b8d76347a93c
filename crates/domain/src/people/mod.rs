//! Who is who: accounts, devices, members.
//!
//! Accounts and devices belong to no restaurant and have no log: their operations work in
//! [`crate::db::Db::transaction`]. Members have a log: theirs work in [`crate::db::Db::write`].
//!
//! **Locks** continue the one order: restaurant, invitation, account, its devices, head. Whoever
//! signs several devices of an account out locks the account first.

pub mod accounts;
pub mod invitations;
pub(crate) mod personal;
pub mod sessions;
pub mod socket_tickets;
pub mod users;

//! Who is who.

mod accounts;
mod addresses;
mod admin;
mod invitations;
mod links;
mod members;
mod owners;
mod passwords;
mod refresh;
mod sessions;
mod socket_tickets;

//! Who is who.

mod accounts;
mod addresses;
mod admin;
mod members;
mod owners;
mod passwords;
mod refresh;
mod sessions;
mod tickets;

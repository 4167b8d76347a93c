mod availability;
mod dashboard;
mod guests;
mod lists;
pub(crate) mod reservations;
mod tables;
mod waitlist;

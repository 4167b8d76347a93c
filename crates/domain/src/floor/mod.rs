//! The floor: guests, tables, reservations, who sits where and who has booked what.

pub mod availability;
pub mod dashboard;
pub mod day;
pub(crate) mod due;
pub mod guests;
pub mod holds;
mod occupancy;
pub mod reservations;
pub(crate) mod reserved;
mod seating;
pub mod snapshot;
pub mod tables;
pub mod waitlist;

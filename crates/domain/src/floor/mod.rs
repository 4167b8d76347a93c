//! The floor: guests, tables, reservations, who sits where and who has booked what.

pub mod availability;
pub mod dashboard;
pub(crate) mod due;
pub mod guests;
pub mod holds;
pub(crate) mod locks;
mod occupancy;
pub(crate) mod personal;
pub mod reservations;
pub(crate) mod reserved;
mod seating;
pub(crate) mod settings;
pub(crate) mod sitting;
pub mod snapshot;
pub mod tables;
mod together;
pub mod waitlist;

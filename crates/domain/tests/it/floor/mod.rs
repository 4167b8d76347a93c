//! The floor's rules, at the level of operations.

mod answers;
mod due;
mod guests;
mod offers;
mod races;
mod reserved;
mod seating;
mod snapshot;
mod tables;
mod waitlist;

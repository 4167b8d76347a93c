//! The floor's rules, at the level of operations.

mod answers;
mod guests;
mod offers;
mod races;
mod seating;
mod snapshot;
mod tables;

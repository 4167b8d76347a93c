//! The floor's rules, at the level of operations.

mod guests;
mod races;
mod seating;
mod snapshot;
mod tables;

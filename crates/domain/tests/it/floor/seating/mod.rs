//! Seating: who sits where, who may, and what that does to tables.

mod places;
mod refusals;

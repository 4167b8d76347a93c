//! The schema: `src/schema.rs` says what the database is, and the database keeps the rules of the
//! design.

mod lint;
mod migrations;
mod places;
mod refusals;
mod rendering;
mod rules;

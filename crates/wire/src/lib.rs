//! What crosses a wire in QTable: ids, requests, responses, events, socket frames, error codes.
//!
//! Every other crate speaks in these types. They know how they look as JSON and as an OpenAPI
//! schema, and nothing else: no database, no HTTP, no rules. The one feature switch, `diesel`,
//! lets the database read and write ids and status words (`diesel.rs`).
//!
//! Spelling: JSON is camelCase, and requests accept the snake_case spelling of every field too.
//! Token responses and the envelope of socket frames are snake_case.

#[cfg(feature = "diesel")]
mod diesel;
mod refused;
mod role;
mod secretive;
mod words;

pub mod audit;
pub mod entities;
pub mod errors;
pub mod floor;
pub mod health;
pub mod ids;
pub mod lists;
pub mod live;
pub mod menu;
mod moment;
pub mod paging;
pub mod patch;
pub mod people;
pub mod personal;
pub mod position;
pub mod privacy;
pub mod rooms;
pub mod settings;
pub mod times;
pub mod together;
pub mod venue;

pub use errors::{Detail, Details, ErrorBody, ErrorCode, FieldError, ItemError};
pub use ids::*;
pub use live::audience::Audience;
pub use position::{Epoch, Position, Seq};
pub use role::Role;
pub use together::atomic::TransactionId;

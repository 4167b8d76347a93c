//! What the floor tells beside the sentences of its refusals.

use utoipa::Modify;
use utoipa::openapi::OpenApi;
use wire::floor::availability::TableConflict;

use crate::describe::details;

/// Describes it.
pub struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApi) {
        details::describe::<TableConflict>(document);
    }
}

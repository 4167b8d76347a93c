//! What machines are told of the interfaces: every route.

use super::{asyncapi, openapi};
use crate::access::auth::Need::Public;
use crate::platform::routing::{Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(openapi::document, Public),
        route!(asyncapi::asyncapi, Public),
    ])
}

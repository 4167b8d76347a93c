//! What operators and load balancers ask a worker: every route.

use super::{health, metrics};
use crate::access::auth::Need::Public;
use crate::platform::routing::{Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(health::health, Public).quiet(),
        route!(health::live, Public).quiet(),
        route!(health::ready, Public).quiet(),
        route!(metrics::page::page, Public).quiet(),
    ])
}

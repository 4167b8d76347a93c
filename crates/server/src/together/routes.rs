//! Several changes in one request: every route.

use wire::Role::Staff;

use super::{atomic, batch, sync};
use crate::access::auth::Need::{Member, Named};
use crate::platform::routing::{Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(sync::delta, Member(Staff)),
        route!(sync::batch, Member(Staff)),
        route!(batch::update, Member(Staff)),
        route!(atomic::atomic, Member(Staff)),
        route!(atomic::batch, Named(Staff)),
    ])
}

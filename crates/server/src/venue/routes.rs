//! The restaurant itself: every route.

use wire::Role::{Manager, Staff};

use super::restaurants;
use crate::access::auth::Need::Member;
use crate::platform::routing::{Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(restaurants::get, Member(Staff)),
        route!(restaurants::update, Member(Manager)),
    ])
}

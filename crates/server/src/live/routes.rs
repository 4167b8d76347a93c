//! Sockets and streams: every route.

use wire::Role::Staff;

use super::{events, presence, realtime, socket_tickets, subjects};
use crate::access::auth::Need::{Account, Follow, Holder, Member};
use crate::platform::routing::{Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(presence::list, Member(Staff)),
        route!(realtime::follow, Follow).stays_open(),
        route!(events::stream, Follow).stays_open(),
        route!(socket_tickets::issue, Account).no_key(),
        route!(subjects::list, Holder),
    ])
}

//! The menu: every route.

use wire::Role::{Manager, Staff};

use super::{categories, dishes, live, menus, transfer, tree};
use crate::access::auth::Need::{Member, Named, Public};
use crate::platform::routing::{Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(tree::get, Public),
        route!(transfer::import, Member(Manager)).file(),
        route!(transfer::export, Member(Staff)),

        route!(categories::list, Member(Staff)),
        route!(categories::create, Member(Manager)),
        route!(categories::get, Member(Staff)),
        route!(categories::update, Member(Manager)),
        route!(categories::delete, Member(Manager)),

        route!(dishes::list, Member(Staff)),
        route!(dishes::create, Member(Manager)),
        route!(dishes::get, Member(Staff)),
        route!(dishes::update, Member(Staff)),
        route!(dishes::delete, Member(Manager)),

        route!(dishes::visit, Public),
        route!(dishes::toggle, Named(Staff)),
        route!(menus::category, Named(Manager)),
        route!(menus::item, Named(Manager)),
        route!(live::watch, Public).stays_open(),
    ])
}

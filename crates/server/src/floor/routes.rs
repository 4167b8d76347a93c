//! The floor: every route.

use actix_web::http::Method;
use wire::Role::{Manager, Staff};

use super::{
    availability, dashboard, guests, holds, own, reservations, snapshot, tables, waitlist,
};
use crate::access::auth::Need::{Holder, Member};
use crate::platform::routing::{Route, Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(guests::list, Member(Staff)),
        route!(guests::create, Member(Staff)),
        route!(guests::get, Member(Staff)),
        route!(guests::update, Member(Staff)),
        route!(guests::delete, Member(Staff)),

        route!(tables::list, Member(Staff)),
        route!(tables::create, Member(Manager)),
        route!(tables::get, Member(Staff)),
        route!(tables::update, Member(Staff)),
        route!(tables::delete, Member(Manager)),
        route!(tables::clear, Member(Staff)),

        route!(reservations::list, Member(Staff)),
        route!(reservations::create, Member(Staff)),
        route!(reservations::get, Member(Staff)),
        route!(reservations::update, Member(Staff)),
        route!(reservations::cancel, Member(Staff)),
        route!(reservations::check_in, Member(Staff)),
        route!(reservations::seat, Member(Staff)),
        route!(availability::day, Member(Staff)),
        route!(holds::create, Member(Staff)),
        route!(holds::delete, Member(Staff)),
        route!(waitlist::quote, Member(Staff)),

        route!(own::guest_link, Member(Staff)),
        route!(own::guest, Holder),
        route!(own::cancel_guest, Holder),
        route!(own::reservation_link, Member(Staff)),
        route!(own::reservation, Holder),
        route!(own::cancel_reservation, Holder),
        Route::page(Method::GET, "/w/{secret}", own::show),
        Route::page(Method::POST, "/w/{secret}", own::give_up),

        route!(dashboard::dashboard, Member(Staff)),
        route!(dashboard::dashboard_data, Member(Staff)),
        route!(snapshot::full, Member(Staff)),
    ])
}

//! Pages: every route. They have no documentation, and write path and method here.

use actix_web::http::Method;

use super::{invitation, reset};
use crate::platform::limits::Tier;
use crate::platform::routing::{Route, Routes};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        Route::page(Method::GET, "/i/{secret}", invitation::show),
        // A hash of a password is what costs.
        Route::page(Method::POST, "/i/{secret}", invitation::accept).tier(Tier::Registrations),
        Route::page(Method::GET, "/r/{secret}", reset::show),
        Route::page(Method::POST, "/r/{secret}", reset::set).tier(Tier::Logins),
        Route::page(Method::GET, "/r/done", reset::done).uncounted(),
    ])
}

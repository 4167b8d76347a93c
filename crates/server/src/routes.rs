//! Every route, on one screen: method, path, what it needs of its caller, who answers.
//!
//! Canonical paths begin with `/api/v1`, which a middleware has taken off when these are matched,
//! as it does with `/api`. OpenAPI's list and the matrix test are compared with this one.

use actix_web::http::Method;
use wire::people::Role::{Manager, Staff};

use crate::access::auth::Need::{Account, Member, MemberOrSelf, Public};
use crate::describe::{asyncapi, openapi};
use crate::floor::{
    availability, dashboard, guests, holds, reservations, snapshot, tables, waitlist,
};
use crate::live::{events, presence, realtime, socket_tickets};
use crate::menu::{categories, dishes, menus, transfer, tree};
use crate::people::{auth, invitations, sessions, users};
use crate::platform::routing::Routes;
use crate::seen::{health, metrics};
use crate::together::{atomic, batch, sync};
use crate::venue::restaurants;
use crate::{audit, menu, pages, privacy};

/// All routes.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::new()
        .post("/auth/register", Public, auth::register)
        .post("/auth/login", Public, auth::login)
        .post("/auth/refresh", Public, auth::refresh)
        .post("/auth/logout", Account, auth::logout)
        .get("/auth/me", Account, auth::me)
        .put("/auth/me", Account, auth::update_me)
        .put("/auth/password", Account, auth::change_password)
        .post("/auth/password/reset", Public, auth::reset_password)
        .get("/auth/sessions", Account, sessions::list)
        .delete("/auth/sessions/{sid}", Account, sessions::revoke)

        .get("/restaurants/{rid}", Member(Staff), restaurants::get)
        .put("/restaurants/{rid}", Member(Manager), restaurants::update)
        .get("/restaurants/{rid}/users", Member(Manager), users::list)
        .post("/restaurants/{rid}/users", Member(Manager), invitations::create)
        .put("/restaurants/{rid}/users/{uid}", Member(Manager), users::update)
        .delete("/restaurants/{rid}/users/{uid}", MemberOrSelf(Manager), users::delete)
        .post("/restaurants/{rid}/users/{uid}/reset-link", Member(Manager), users::reset_link)
        .get("/restaurants/{rid}/invitations", Member(Manager), invitations::list)
        .get("/restaurants/{rid}/invitations/{iid}", Member(Manager), invitations::get)
        .delete("/restaurants/{rid}/invitations/{iid}", Member(Manager), invitations::delete)
        .post("/restaurants/{rid}/invitations/{iid}/confirm", Member(Manager), invitations::confirm)
        .post("/invitations/lookup", Public, invitations::lookup)
        .post("/invitations/accept", Public, invitations::accept)

        .get("/restaurants/{rid}/guests", Member(Staff), guests::list)
        .post("/restaurants/{rid}/guests", Member(Staff), guests::create)
        .get("/restaurants/{rid}/guests/{gid}", Member(Staff), guests::get)
        .put("/restaurants/{rid}/guests/{gid}", Member(Staff), guests::update)
        .patch("/restaurants/{rid}/guests/{gid}", Member(Staff), guests::update)
        .delete("/restaurants/{rid}/guests/{gid}", Member(Staff), guests::delete)

        .get("/restaurants/{rid}/tables", Member(Staff), tables::list)
        .post("/restaurants/{rid}/tables", Member(Manager), tables::create)
        .get("/restaurants/{rid}/tables/{tid}", Member(Staff), tables::get)
        .put("/restaurants/{rid}/tables/{tid}", Member(Staff), tables::update)
        .patch("/restaurants/{rid}/tables/{tid}", Member(Staff), tables::update)
        .delete("/restaurants/{rid}/tables/{tid}", Member(Manager), tables::delete)
        .put("/restaurants/{rid}/tables/{tid}/clear", Member(Staff), tables::clear)

        .get("/restaurants/{rid}/reservations", Member(Staff), reservations::list)
        .post("/restaurants/{rid}/reservations", Member(Staff), reservations::create)
        .get("/restaurants/{rid}/reservations/{id}", Member(Staff), reservations::get)
        .put("/restaurants/{rid}/reservations/{id}", Member(Staff), reservations::update)
        .patch("/restaurants/{rid}/reservations/{id}", Member(Staff), reservations::update)
        .delete("/restaurants/{rid}/reservations/{id}", Member(Staff), reservations::cancel)
        .post("/restaurants/{rid}/reservations/{id}/check-in", Member(Staff), reservations::check_in)
        .post("/restaurants/{rid}/reservations/{id}/seat", Member(Staff), reservations::seat)
        .get("/restaurants/{rid}/availability", Member(Staff), availability::day)
        .post("/restaurants/{rid}/holds", Member(Staff), holds::create)
        .delete("/restaurants/{rid}/holds/{id}", Member(Staff), holds::delete)
        .get("/restaurants/{rid}/wait-quote", Member(Staff), waitlist::quote)

        .get("/dashboard/{rid}", Member(Staff), dashboard::dashboard)
        .get("/restaurants/{rid}/dashboard-data", Member(Staff), dashboard::dashboard_data)
        .get("/restaurants/{rid}/sync/full", Member(Staff), snapshot::full)
        .get("/restaurants/{rid}/sync/delta", Member(Staff), sync::delta)
        .post("/restaurants/{rid}/sync/batch", Member(Staff), sync::batch)
        .post("/restaurants/{rid}/batch-update", Member(Staff), batch::update)
        .post("/restaurants/{rid}/atomic", Member(Staff), atomic::atomic)
        .post("/atomic/batch", Account, atomic::batch)

        .get("/restaurants/{rid}/menu", Public, tree::get)
        .post("/restaurants/{rid}/menu/import", Member(Manager), transfer::import)
        .get("/restaurants/{rid}/menu/export", Member(Staff), transfer::export)
        .get("/restaurants/{rid}/menu/categories", Member(Staff), categories::list)
        .post("/restaurants/{rid}/menu/categories", Member(Manager), categories::create)
        .get("/restaurants/{rid}/menu/categories/{cid}", Member(Staff), categories::get)
        .put("/restaurants/{rid}/menu/categories/{cid}", Member(Manager), categories::update)
        .patch("/restaurants/{rid}/menu/categories/{cid}", Member(Manager), categories::update)
        .delete("/restaurants/{rid}/menu/categories/{cid}", Member(Manager), categories::delete)
        .get("/restaurants/{rid}/dishes", Member(Staff), dishes::list)
        .post("/restaurants/{rid}/dishes", Member(Manager), dishes::create)
        .get("/restaurants/{rid}/dishes/{dishId}", Member(Staff), dishes::get)
        .put("/restaurants/{rid}/dishes/{dishId}", Member(Staff), dishes::update)
        .patch("/restaurants/{rid}/dishes/{dishId}", Member(Staff), dishes::update)
        .delete("/restaurants/{rid}/dishes/{dishId}", Member(Manager), dishes::delete)
        .get("/dishes", Public, dishes::visit)
        .patch("/dishes/{dishId}/toggle", Account, dishes::toggle)
        .post("/menus/categories", Account, menus::category)
        .post("/menus/items", Account, menus::item)
        .get("/ws", Public, menu::live::watch)

        .get("/restaurants/{rid}/audit", Member(Manager), audit::list)
        .post("/restaurants/{rid}/privacy/export", Member(Manager), privacy::export)
        .post("/restaurants/{rid}/privacy/erase", Member(Manager), privacy::erase)

        .get("/restaurants/{rid}/presence", Member(Staff), presence::list)
        .get("/realtime", Public, realtime::follow)
        .get("/realtime/events", Public, events::stream)
        .post("/realtime/tickets", Account, socket_tickets::issue)

        .page(Method::GET, "/i/{secret}", pages::invitation::show)
        .page(Method::POST, "/i/{secret}", pages::invitation::accept)
        .page(Method::GET, "/r/{secret}", pages::reset::show)
        .page(Method::POST, "/r/{secret}", pages::reset::set)
        .page(Method::GET, "/r/done", pages::reset::done)

        .get("/health", Public, health::health)
        .get("/health/live", Public, health::live)
        .get("/health/ready", Public, health::ready)
        .get("/metrics", Public, metrics::page::page)
        .get("/openapi.json", Public, openapi::document)
        .get("/asyncapi.json", Public, asyncapi::asyncapi)
}

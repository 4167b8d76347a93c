//! Who is who: every route.

use wire::Role::Manager;

use super::{auth, invitations, sessions, users};
use crate::access::auth::Need::{Account, Member, MemberOrSelf, Public};
use crate::platform::limits::Tier;
use crate::platform::routing::{Routes, route};

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(auth::register, Public).tier(Tier::Registrations),
        route!(auth::login, Public).tier(Tier::Logins).asks_who_comes(),
        route!(auth::refresh, Public).tier(Tier::Refreshes).asks_who_comes(),
        route!(auth::logout, Account).no_key(),
        route!(auth::me, Account),
        route!(auth::update_me, Account),
        route!(auth::change_password, Account),
        // A hash of a password is what costs.
        route!(auth::reset_password, Public).tier(Tier::Logins),
        route!(sessions::list, Account),
        route!(sessions::revoke, Account),

        route!(users::list, Member(Manager)),
        route!(users::update, Member(Manager)),
        route!(users::delete, MemberOrSelf(Manager)),
        route!(users::reset_link, Member(Manager)),

        route!(invitations::create, Member(Manager)),
        route!(invitations::list, Member(Manager)),
        route!(invitations::get, Member(Manager)),
        route!(invitations::delete, Member(Manager)),
        route!(invitations::confirm, Member(Manager)),
        route!(invitations::lookup, Public),
        route!(invitations::accept, Public).tier(Tier::Registrations),
    ])
}

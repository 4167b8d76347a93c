//! Every route: the sum of the rooms' tables. `list` below has all of them with what is true of each.
//!
//! Canonical paths begin with `/api/v1`, which a middleware has taken off when these are matched,
//! as it does with `/api`.

use crate::platform::routing::Routes;
use crate::{
    audit, describe, floor, live, menu, pages, people, privacy, seen, together, venue,
};

/// All routes.
#[must_use]
pub fn routes() -> Routes {
    let rooms = [
        people::routes(),
        venue::routes(),
        floor::routes(),
        together::routes(),
        menu::routes(),
        audit::routes(),
        privacy::routes(),
        live::routes(),
        pages::routes(),
        seen::routes(),
        describe::routes(),
    ];
    rooms.into_iter().collect()
}

//! Where values of guests are among what is kept of the staff.

use crate::privacy::{Holds, Place};

/// The tables of this room that have columns of text or JSON.
pub(crate) const PLACES: &[Place] = &[
    Place {
        table: "invitations",
        columns: &[
            ("email", Holds::Value),
            ("first_name", Holds::Value),
            ("last_name", Holds::Value),
            ("role", Holds::Nothing),
        ],
    },
    Place {
        table: "memberships",
        columns: &[("role", Holds::Nothing)],
    },
];

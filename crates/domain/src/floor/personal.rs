//! Where the floor keeps values of people.

use crate::privacy::{Holds, Place};

/// The tables of this room that have columns of text or JSON.
pub(crate) const PLACES: &[Place] = &[
    Place {
        table: "guests",
        columns: &[
            ("guest_name", Holds::Value),
            ("first_name", Holds::Value),
            ("last_name", Holds::Value),
            ("phone", Holds::Value),
            ("phone_digits", Holds::Value),
            ("email", Holds::Value),
            ("notes", Holds::Value),
            ("special_requests", Holds::Value),
            ("dietary_restrictions", Holds::Value),
            ("tags", Holds::Value),
            ("search", Holds::Value),
            ("status", Holds::Nothing),
        ],
    },
    Place {
        table: "reservations",
        columns: &[
            ("guest_name", Holds::Value),
            ("guest_phone", Holds::Value),
            ("guest_email", Holds::Value),
            ("notes", Holds::Value),
            ("special_requests", Holds::Value),
            ("status", Holds::Nothing),
            ("source", Holds::Nothing),
        ],
    },
    Place {
        table: "tables",
        columns: &[
            ("table_number", Holds::Nothing),
            ("status", Holds::Nothing),
            ("shape", Holds::Nothing),
            ("section", Holds::Nothing),
        ],
    },
];

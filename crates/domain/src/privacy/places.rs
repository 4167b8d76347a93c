//! Where the values of people live.
//!
//! To keep something new: add its columns here. One that holds documents is then searched, exported
//! and erased by what is said of it; one that is a plain value needs its operation in `erase.rs`.

/// What a column of a restaurant's table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing about a guest.
    Nothing,
    /// One value of a party, booking or invitation, or what the database makes of one.
    Value,
    /// The frame of an event, whose data are the state of `entity_id`.
    Frame,
    /// Some fields of the party, booking or invitation that is `entity_id`.
    Fields,
    /// JSON with parties and bookings anywhere in it, each with its `id`.
    Document,
}

/// A table, and what its columns of text and JSON hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Holds)],
}

/// Every table of a restaurant that has columns of text or JSON.
pub const PLACES: &[Place] = &[
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
        table: "events",
        columns: &[
            ("frame", Holds::Frame),
            ("public_frame", Holds::Frame),
            ("kind", Holds::Nothing),
            ("audience", Holds::Nothing),
        ],
    },
    Place {
        table: "audit_entries",
        columns: &[
            ("before", Holds::Fields),
            ("after", Holds::Fields),
            ("entity", Holds::Nothing),
            ("action", Holds::Nothing),
            // Of the staff.
            ("device_name", Holds::Nothing),
            ("request_id", Holds::Nothing),
        ],
    },
    Place {
        table: "client_operations",
        columns: &[
            ("result", Holds::Document),
            ("kind", Holds::Nothing),
            // Ids that clients make up.
            ("key", Holds::Nothing),
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
    // What a house serves.
    Place {
        table: "menu_categories",
        columns: &[
            ("name", Holds::Nothing),
            ("description", Holds::Nothing),
            ("windows", Holds::Nothing),
        ],
    },
    Place {
        table: "dishes",
        columns: &[
            ("dish_name", Holds::Nothing),
            ("description", Holds::Nothing),
            ("image_url", Holds::Nothing),
            ("availability", Holds::Nothing),
            ("currency", Holds::Nothing),
            ("modifier_groups", Holds::Nothing),
            ("station", Holds::Nothing),
            ("dietary", Holds::Nothing),
            ("allergens", Holds::Nothing),
        ],
    },
    // Whom it is meant for.
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

impl Place {
    /// The columns that hold JSON about people, all of one kind, and which kind.
    pub(super) fn documents(&self) -> Option<(Vec<&'static str>, Holds)> {
        let (_, holds) = *self
            .columns
            .iter()
            .find(|(_, holds)| !matches!(holds, Holds::Nothing | Holds::Value))?;
        let columns = self.columns.iter().filter(|(_, other)| *other == holds);
        Some((columns.map(|(column, _)| *column).collect(), holds))
    }
}

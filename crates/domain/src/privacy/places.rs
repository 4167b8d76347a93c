//! Where the values of people live.
//!
//! To keep something new: add its columns to its room's list. What holds documents is then searched,
//! exported and erased by what is said of it; of a thing with plain values its room says how it is
//! found, handed out and erased ([`super::things::OfPeople`]).

use crate::rooms;

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
pub fn places() -> impl Iterator<Item = &'static Place> {
    rooms::PLACES.iter().copied().flatten()
}

/// Those of the ground.
pub(crate) const PLACES: &[Place] = &[
    Place {
        table: "events",
        columns: &[
            ("frame", Holds::Frame),
            ("public_frame", Holds::Frame),
            ("own_frame", Holds::Frame),
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

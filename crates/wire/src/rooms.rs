//! What rooms register with the ground, beside their rows in `entities.rs`: a line for each.

use crate::floor::guests::{BatchGuest, Guest};
use crate::floor::reservations::{BatchReservation, Reservation};
use crate::floor::settings::{FloorSettings, UpdateFloorSettings};
use crate::floor::tables::{BatchTable, Table};
use crate::people::invitations::Invitation;
use crate::privacy::kept_of_people;
use crate::settings::settings;
use crate::together::batch::changed_together;
use crate::venue::settings::{UpdateVenueSettings, VenueSettings};
use crate::words::words;

words! {
    /// What somebody may follow by itself, who is no member and holds its secret.
    RootKind {
        /// A party.
        Guest = "guest",
        /// A booking.
        Reservation = "reservation",
    }
}

settings! {
    /// How a restaurant works. Fields that are absent have their default.
    RestaurantSettings,
    /// A change of settings: the fields that are present.
    UpdateSettings:

    /// When the house is open, and when its days begin.
    #[serde(flatten)]
    venue: VenueSettings, UpdateVenueSettings;
    /// How parties are seated and told.
    #[serde(flatten)]
    floor: FloorSettings, UpdateFloorSettings;
}

changed_together! {
    /// Changes of parties, then of tables, then of bookings, at most 500 together.
    #[schema(example = json!({
        "guests": [{"id": "0198b2f0-0000-7000-8000-000000000001", "status": "completed"}],
        "tables": [{"id": "0198b2f0-0000-7000-8000-000000000002", "status": "needs_cleaning"}],
        "mode": "all_or_nothing",
    }))]
    update;

    /// A party.
    Guest = "guest":
        /// Each is read by itself, so that each that cannot be read can be named.
        guests: BatchGuest,
        /// The parties, in the order of the request.
        done: Guest;
    /// A table.
    Table = "table":
        /// Each is read by itself.
        tables: BatchTable,
        /// The tables, in the order of the request.
        done: Table;
    /// A booking; removing it means that it is called off.
    Reservation = "reservation":
        /// Each is read by itself.
        reservations: BatchReservation,
        /// The bookings, in the order of the request.
        done: Reservation;
}

kept_of_people! {
    /// Visits, the present one and those that are over.
    guests: Guest as "guestIds",
    /// Parties; a party that is here keeps its place, as "Guest".
    erased;
    /// Bookings, those to come and those that are over.
    reservations: Reservation as "reservationIds",
    /// Bookings; one that is to come keeps its tables.
    erased;
    /// Invitations that were meant for them.
    invitations: Invitation as "invitationIds",
    /// Invitations, which keep what became of them.
    erased;
}

//! What rooms register with the ground: a line for each.

use serde_json::Value;
use uuid::Uuid;
use wire::floor::guests::{CreateGuest, Guest, UpdateGuest};
use wire::floor::reservations::{CreateReservation, Reservation, UpdateReservation};
use wire::floor::tables::{CreateTable, Table, UpdateTable};
use wire::together::atomic::{Entity, Op};
use wire::{FieldError, GuestId, ReservationId, TableId};

use crate::db::Tx;
use crate::due::Due;
use crate::floor::sitting::GoesAlong;
use crate::floor::waitlist::delays::Delays;
use crate::holders::Held;
use crate::privacy::things::OfPeople;
use crate::privacy::{self, Place};
use crate::settings::Section;
use crate::sweeps::{Often, Sweep, expired};
use crate::together::changes::{Changed, Edit};
use crate::together::kinds::{self, Changeable, Profile, changeable};
use crate::together::locks::{Reach, Rows, Touched};
pub(crate) use crate::venue::restaurants::lock as lock_restaurant;
use crate::{Result, audit, floor, log, menu, people, remembered, venue};

changeable! {
    /// Of a party.
    Guest(GuestId, CreateGuest, UpdateGuest) => Guest,
    /// Of a table.
    Table(TableId, CreateTable, UpdateTable) => Table,
    /// Of a booking; to remove it is to call it off.
    Reservation(ReservationId, CreateReservation, UpdateReservation) => Reservation,
}

/// What changes lead to, of each room.
pub(crate) const REACH: &[&dyn Reach] = &[&floor::locks::OfFloor];

/// What changes lock after the restaurant's row, in the one order.
pub(crate) const LOCKS: &[&dyn Rows] = &[
    &floor::locks::OfTables,
    &floor::locks::OfParties,
    &floor::locks::OfBookings,
];

/// Rows that carry the moment at which they are due.
pub const DUE: &[&dyn Due] = &[&floor::due::OfFloor];

/// What somebody may follow by itself, who holds its secret.
pub(crate) const HELD: &[&dyn Held] = &[
    &floor::guests::HeldParties,
    &floor::reservations::HeldBookings,
];

/// Rows that go in time.
pub const SWEEPS: &[Sweep] = &[
    Sweep {
        name: "log.prune",
        often: Often::Minutely,
        batch: 500,
        run: |conn, round| {
            let before = round.now - round.retention.events;
            Box::pin(log::prune(conn, before, round.batch))
        },
    },
    Sweep {
        name: "audit.prune",
        often: Often::Seldom,
        batch: 1000,
        run: |conn, round| {
            let before = round.now - round.retention.audit;
            Box::pin(audit::prune(conn, before, round.batch))
        },
    },
    expired!("answers.forget", remembered::forget_answers),
    expired!("sessions.sweep", people::sessions::sweep_expired),
    expired!(
        "socket_tickets.sweep",
        people::socket_tickets::sweep_expired
    ),
    expired!("invitations.sweep", people::invitations::sweep_expired),
    expired!("resets.sweep", people::users::sweep_expired_resets),
    expired!("holds.sweep", floor::holds::sweep_expired),
];

/// What may be set, in the order in which faults are reported.
pub(crate) const SETTINGS: &[&dyn Section] =
    &[&venue::settings::OfVenue, &floor::settings::OfFloor];

/// Who goes along when a party sits down, moves or gets up, in the order of locks.
pub(crate) const GO_ALONG: &[&dyn GoesAlong] = &[];

/// Who makes waits longer.
pub(crate) const DELAYS: &[&dyn Delays] = &[];

/// What may be a person's, in the order of locks.
pub(crate) const OF_PEOPLE: &[&dyn OfPeople] = &[
    &floor::guests::OfPerson,
    &floor::reservations::OfPerson,
    &people::invitations::OfPerson,
];

/// Where values of people live.
pub(crate) const PLACES: &[&[Place]] = &[
    privacy::PLACES,
    floor::personal::PLACES,
    menu::personal::PLACES,
    people::personal::PLACES,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        let due = DUE.iter().map(|due| due.name());
        let names: Vec<&str> = due.chain(SWEEPS.iter().map(|sweep| sweep.name)).collect();
        let different: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }
}

//! What rooms register with the ground: a line for each.

use crate::due::Due;
use crate::sweeps::{Often, Sweep, expired};
use crate::{audit, floor, log, people, remembered};

/// Rows that carry the moment at which they are due.
pub const DUE: &[&dyn Due] = &[&floor::due::OfFloor];

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

//! What may become of a booking. Plain functions; the operations carry them out.

use wire::ErrorCode;
use wire::floor::guests::GuestStatus;
use wire::floor::reservations::ReservationStatus;

use crate::{Error, Result};

/// Whether a booking may go from one status to another. Every step can be undone, because hosts
/// tap the wrong line.
pub(super) fn check_transition(from: ReservationStatus, to: ReservationStatus) -> Result<()> {
    use ReservationStatus as S;
    let is_allowed = from == to
        || match from {
            S::Pending | S::Confirmed | S::RunningLate | S::PartiallyArrived | S::Arrived => {
                to != S::Completed
            }
            S::Seated => matches!(to, S::Arrived | S::PartiallyArrived | S::Completed),
            S::Completed => to == S::Seated,
            S::Cancelled => matches!(to, S::Pending | S::Confirmed),
            S::NoShow => !matches!(to, S::Completed | S::Cancelled),
        };
    if is_allowed {
        return Ok(());
    }
    let sentence = format!(
        "A booking that is {} cannot become {}.",
        spoken(from),
        spoken(to)
    );
    Err(Error::refused(ErrorCode::InvalidTransition, sentence))
}

fn spoken(status: ReservationStatus) -> &'static str {
    match status {
        ReservationStatus::NoShow => "a no-show",
        ReservationStatus::PartiallyArrived => "partially arrived",
        ReservationStatus::RunningLate => "running late",
        status => status.as_str(),
    }
}

/// What a booking becomes when its party goes to a status.
pub(super) fn followed(present: ReservationStatus, guest: GuestStatus) -> ReservationStatus {
    use ReservationStatus as S;
    match guest {
        GuestStatus::Waiting | GuestStatus::Notified if present.is_here() => present,
        GuestStatus::Waiting | GuestStatus::Notified => S::Arrived,
        GuestStatus::Seated => S::Seated,
        GuestStatus::Completed => S::Completed,
        GuestStatus::Cancelled => S::Cancelled,
        GuestStatus::NoShow => S::NoShow,
    }
}

/// What becomes of the party of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// Nothing.
    Stays,
    /// It goes to a status.
    Becomes(GuestStatus),
    /// It was checked in by mistake: it is removed.
    Removed,
    /// It is another visit that is over: the booking lets go of it.
    Forgotten,
}

/// What becomes of the party when its booking goes to a status.
pub(super) fn party(to: ReservationStatus, guest: GuestStatus) -> Party {
    use ReservationStatus as S;
    let becomes = |status| {
        if guest == status {
            Party::Stays
        } else {
            Party::Becomes(status)
        }
    };
    match to {
        S::Pending | S::Confirmed | S::RunningLate if guest.is_finished() => Party::Forgotten,
        S::Pending | S::Confirmed | S::RunningLate => Party::Removed,
        S::Arrived | S::PartiallyArrived if guest.is_waiting() => Party::Stays,
        S::Arrived | S::PartiallyArrived => becomes(GuestStatus::Waiting),
        S::Seated => becomes(GuestStatus::Seated),
        S::Completed => becomes(GuestStatus::Completed),
        S::Cancelled => becomes(GuestStatus::Cancelled),
        S::NoShow => becomes(GuestStatus::NoShow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use GuestStatus as G;
    use ReservationStatus as S;

    #[test]
    fn which_status_may_follow_which() {
        let before = [
            S::Pending,
            S::Confirmed,
            S::RunningLate,
            S::PartiallyArrived,
            S::Arrived,
        ];
        for from in S::ALL {
            let allowed: Vec<S> = match from {
                S::Seated => vec![S::Arrived, S::PartiallyArrived, S::Completed],
                S::Completed => vec![S::Seated],
                S::Cancelled => vec![S::Pending, S::Confirmed],
                S::NoShow => [before.as_slice(), &[S::Seated]].concat(),
                _ => [before.as_slice(), &[S::Seated, S::Cancelled, S::NoShow]].concat(),
            };
            for to in S::ALL {
                let is_allowed = from == to || allowed.contains(to);
                assert_eq!(
                    check_transition(*from, *to).is_ok(),
                    is_allowed,
                    "{from} → {to}"
                );
            }
        }
    }

    #[test]
    fn a_booking_and_its_party_agree() {
        for (present, guest, expected) in [
            (S::Confirmed, G::Waiting, S::Arrived),
            (S::PartiallyArrived, G::Notified, S::PartiallyArrived),
            (S::Seated, G::Waiting, S::Arrived),
            (S::Arrived, G::Seated, S::Seated),
            (S::Seated, G::Completed, S::Completed),
            (S::Arrived, G::NoShow, S::NoShow),
            (S::Cancelled, G::Seated, S::Seated),
        ] {
            let found = followed(present, guest);
            assert_eq!(found, expected, "{present}, party {guest}");
            assert_eq!(party(found, guest), Party::Stays, "{found}, party {guest}");
        }
        for (to, guest, expected) in [
            (S::Confirmed, G::Waiting, Party::Removed),
            (S::Confirmed, G::Cancelled, Party::Forgotten),
            (S::Arrived, G::Seated, Party::Becomes(G::Waiting)),
            (S::Seated, G::Completed, Party::Becomes(G::Seated)),
            (S::Cancelled, G::Notified, Party::Becomes(G::Cancelled)),
        ] {
            assert_eq!(party(to, guest), expected, "{to}, party {guest}");
        }
    }
}

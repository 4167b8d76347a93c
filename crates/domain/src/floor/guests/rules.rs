//! What a party may do. Plain functions; the operations carry them out.

use wire::floor::guests::GuestStatus;
use wire::{ErrorCode, TableId};

use crate::{Error, Result};

/// Whether a party may go from one status to another. Every step can be undone by one tap, because
/// hosts tap the wrong party.
pub(super) fn check_transition(from: GuestStatus, to: GuestStatus) -> Result<()> {
    use GuestStatus as S;
    let is_allowed = from == to
        || match from {
            S::Waiting => matches!(to, S::Notified | S::Seated | S::Cancelled | S::NoShow),
            S::Notified => matches!(to, S::Waiting | S::Seated | S::Cancelled | S::NoShow),
            S::Seated => matches!(to, S::Completed | S::Waiting),
            S::Completed => matches!(to, S::Seated),
            S::Cancelled | S::NoShow => matches!(to, S::Waiting | S::Seated),
        };
    if is_allowed {
        return Ok(());
    }
    let sentence = format!(
        "A party that is {} cannot become {}.",
        spoken(from),
        spoken(to)
    );
    Err(Error::refused(ErrorCode::InvalidTransition, sentence))
}

fn spoken(status: GuestStatus) -> &'static str {
    match status {
        GuestStatus::NoShow => "a no-show",
        status => status.as_str(),
    }
}

/// The status and tables that a party shall have after a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) status: GuestStatus,
    pub(super) tables: Vec<TableId>,
}

/// Where a party shall be, given where it is and what was asked.
///
/// A table makes a waiting party seated. A party cannot be seated without a table, but one that is
/// seated may lose it (on its way to another, or to the bar). Whoever leaves leaves the table.
pub(super) fn place(
    from: GuestStatus,
    held: &[TableId],
    status: Option<GuestStatus>,
    wanted: Option<&[TableId]>,
) -> Result<Place> {
    let is_given_table = wanted.is_some_and(|tables| !tables.is_empty());
    let to = match status {
        Some(status) => status,
        None if is_given_table => GuestStatus::Seated,
        None => from,
    };
    check_transition(from, to)?;
    if to != GuestStatus::Seated {
        return if is_given_table {
            Err(Error::invalid("tableId", "only a seated party has a table"))
        } else {
            Ok(Place {
                status: to,
                tables: Vec::new(),
            })
        };
    }
    let tables = match wanted {
        Some(tables) => tables.to_vec(),
        None => held.to_vec(),
    };
    if tables.is_empty() && from != GuestStatus::Seated {
        return Err(Error::invalid(
            "tableId",
            "choose the table at which the party sits",
        ));
    }
    Ok(Place { status: to, tables })
}

#[cfg(test)]
mod tests {
    use super::*;
    use GuestStatus as S;
    use uuid::Uuid;

    #[test]
    fn which_status_may_follow_which() {
        let allowed = [
            (
                S::Waiting,
                vec![S::Notified, S::Seated, S::Cancelled, S::NoShow],
            ),
            (
                S::Notified,
                vec![S::Waiting, S::Seated, S::Cancelled, S::NoShow],
            ),
            (S::Seated, vec![S::Completed, S::Waiting]),
            (S::Completed, vec![S::Seated]),
            (S::Cancelled, vec![S::Waiting, S::Seated]),
            (S::NoShow, vec![S::Waiting, S::Seated]),
        ];
        for (from, to) in allowed {
            for status in S::ALL {
                let is_allowed = *status == from || to.contains(status);
                assert_eq!(
                    check_transition(from, *status).is_ok(),
                    is_allowed,
                    "{from} → {status}"
                );
            }
        }
    }

    #[test]
    fn where_a_party_comes_to_be() {
        let (a, b) = (TableId(Uuid::from_u128(1)), TableId(Uuid::from_u128(2)));
        let at = |status, tables: &[TableId]| {
            Some(Place {
                status,
                tables: tables.to_vec(),
            })
        };
        let cases = [
            // A table seats a waiting party.
            (
                S::Waiting,
                &[][..],
                None,
                Some(&[a][..]),
                at(S::Seated, &[a]),
            ),
            (
                S::Notified,
                &[],
                Some(S::Seated),
                Some(&[a, b]),
                at(S::Seated, &[a, b]),
            ),
            // Seated needs a table; only seated has one.
            (S::Waiting, &[], Some(S::Seated), None, None),
            (S::Waiting, &[], Some(S::Seated), Some(&[]), None),
            (S::Waiting, &[], Some(S::Waiting), Some(&[a]), None),
            // Moving, losing the table, leaving, undo.
            (S::Seated, &[a], None, Some(&[b]), at(S::Seated, &[b])),
            (S::Seated, &[a], None, Some(&[]), at(S::Seated, &[])),
            (
                S::Seated,
                &[a],
                Some(S::Completed),
                None,
                at(S::Completed, &[]),
            ),
            (S::Seated, &[a], Some(S::Waiting), None, at(S::Waiting, &[])),
            (S::Seated, &[a], Some(S::Completed), Some(&[b]), None),
            // Nothing about it was asked.
            (S::Seated, &[a, b], None, None, at(S::Seated, &[a, b])),
            (S::Waiting, &[], None, None, at(S::Waiting, &[])),
            // Undo of a completed visit names the table again.
            (
                S::Completed,
                &[],
                Some(S::Seated),
                Some(&[a]),
                at(S::Seated, &[a]),
            ),
            (S::Completed, &[], Some(S::Seated), None, None),
        ];
        for (from, held, status, wanted, expected) in cases {
            let found = place(from, held, status, wanted).ok();
            assert_eq!(
                found, expected,
                "{from} at {held:?}, asked {status:?} at {wanted:?}"
            );
        }
    }
}

//! What other rooms do when a party sits down, moves or gets up: opens a bill, say, and closes it.
//!
//! The floor knows none of them. A room that goes along says so in `rooms.rs`, and its part is done in
//! the floor's transaction, after the floor's own rows are written and before the log is. So either
//! all of it happens or nothing, and what a room refuses does not happen on the floor either. The
//! order of locks goes on: rows of such rooms are locked after all rows of the floor, in the order of
//! the list.

use async_trait::async_trait;
use wire::TableId;
use wire::floor::guests::{Guest, GuestStatus};

use crate::Result;
use crate::db::Tx;

/// What a room does when a party sits down, moves or gets up.
#[async_trait]
pub(crate) trait GoesAlong: Sync {
    /// The party sat down at its tables, whether it waited, came with a booking or just came.
    ///
    /// # Errors
    /// What is refused here is refused as a whole.
    async fn seated(&self, _tx: &mut Tx<'_>, _party: &Guest) -> Result<()> {
        Ok(())
    }

    /// The party sits at other tables than those at which it sat.
    ///
    /// # Errors
    /// As [`GoesAlong::seated`].
    async fn moved(&self, _tx: &mut Tx<'_>, _party: &Guest, _from: &[TableId]) -> Result<()> {
        Ok(())
    }

    /// The party sits no more: its status says whether it has gone, or waits again because it was
    /// seated by mistake. One that is removed altogether is as it was before.
    ///
    /// # Errors
    /// As [`GoesAlong::seated`].
    async fn left(&self, _tx: &mut Tx<'_>, _party: &Guest, _from: &[TableId]) -> Result<()> {
        Ok(())
    }
}

/// Where a party sits: its tables, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sits<'a>(Option<&'a [TableId]>);

impl<'a> Sits<'a> {
    /// Nowhere.
    pub(super) const NOWHERE: Self = Self(None);

    /// A party of this status, at these tables.
    pub(super) fn at(status: GuestStatus, tables: &'a [TableId]) -> Self {
        Self((status == GuestStatus::Seated).then_some(tables))
    }
}

/// What a party did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did<'a> {
    SitDown,
    Move(&'a [TableId]),
    GetUp(&'a [TableId]),
}

fn did<'a>(before: Sits<'a>, after: Sits<'_>) -> Option<Did<'a>> {
    match (before.0, after.0) {
        (None, Some(_)) => Some(Did::SitDown),
        (Some(from), Some(to)) if from != to => Some(Did::Move(from)),
        (Some(from), None) => Some(Did::GetUp(from)),
        _ => None,
    }
}

/// Lets all rooms of the list go along with what the party did, if it did anything.
///
/// # Errors
/// What one of them refuses.
pub(super) async fn go_along(
    tx: &mut Tx<'_>,
    rooms: &[&dyn GoesAlong],
    party: &Guest,
    before: Sits<'_>,
    after: Sits<'_>,
) -> Result<()> {
    let Some(did) = did(before, after) else {
        return Ok(());
    };
    for room in rooms {
        match did {
            Did::SitDown => room.seated(tx, party).await?,
            Did::Move(from) => room.moved(tx, party, from).await?,
            Did::GetUp(from) => room.left(tx, party, from).await?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wire::floor::guests::GuestStatus as S;

    use super::*;

    #[test]
    fn what_a_party_did() {
        let [one, two] = [1, 2].map(|number| TableId(Uuid::from_u128(number)));
        let at = Sits::at;
        for (before, after, expected) in [
            (Sits::NOWHERE, at(S::Seated, &[one]), Some(Did::SitDown)),
            (
                at(S::Waiting, &[]),
                at(S::Seated, &[one]),
                Some(Did::SitDown),
            ),
            (at(S::Seated, &[one]), at(S::Seated, &[one]), None),
            (
                at(S::Seated, &[one]),
                at(S::Seated, &[one, two]),
                Some(Did::Move(&[one])),
            ),
            (
                at(S::Seated, &[one]),
                at(S::Completed, &[]),
                Some(Did::GetUp(&[one])),
            ),
            (
                at(S::Seated, &[two]),
                at(S::Waiting, &[]),
                Some(Did::GetUp(&[two])),
            ),
            (
                at(S::Seated, &[one]),
                Sits::NOWHERE,
                Some(Did::GetUp(&[one])),
            ),
            (at(S::Waiting, &[]), at(S::Cancelled, &[]), None),
            (Sits::NOWHERE, at(S::Waiting, &[]), None),
        ] {
            assert_eq!(did(before, after), expected, "{before:?} → {after:?}");
        }
    }
}

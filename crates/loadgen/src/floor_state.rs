//! A picture of the floor, as a snapshot shows it and as the log tells it. Both must be the same.

use std::collections::HashMap;

use uuid::Uuid;
use wire::Position;
use wire::floor::guests::GuestStatus;

use crate::log::{LogCopy, Snapshot};

/// The parties at a position of the log.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) position: Position,
    pub(crate) parties: HashMap<Uuid, Party>,
}

/// A party, in brief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) version: i32,
    /// Waiting, called or seated. Who has gone is shown for the rest of the day only.
    pub(crate) is_here: bool,
}

impl Party {
    pub(crate) const fn new(version: i32, status: GuestStatus) -> Self {
        Self {
            version,
            is_here: !status.is_finished(),
        }
    }
}

impl From<&Snapshot> for Picture {
    fn from(snapshot: &Snapshot) -> Self {
        let parties = snapshot.floor.guests.iter().map(|guest| {
            let party = Party::new(guest.version, guest.status);
            (guest.id.into(), party)
        });
        Self {
            position: Position {
                epoch: snapshot.epoch,
                seq: snapshot.seq,
            },
            parties: parties.collect(),
        }
    }
}

impl Picture {
    /// The first difference from what the log tells up to this position.
    pub(crate) fn contradiction(&self, log: &LogCopy) -> Option<String> {
        let at = self.position;
        let Ok(count) = usize::try_from(at.seq) else {
            return Some(format!("a snapshot at {at}"));
        };
        if count > log.entries.len() {
            return Some(format!("a snapshot at {at}, beyond the log's end"));
        }
        let mut told = HashMap::new();
        for (id, party) in log.entries.iter().take(count).filter_map(|one| one.party) {
            match party {
                Some(party) => told.insert(id, party),
                None => told.remove(&id),
            };
        }
        for (id, party) in &self.parties {
            if told.get(id) != Some(party) {
                let told = told.get(id);
                return Some(format!(
                    "the snapshot at {at} shows party {id} as {party:?}, the log as {told:?}"
                ));
            }
        }
        let missing = told
            .iter()
            .find(|(id, party)| party.is_here && !self.parties.contains_key(id))?;
        Some(format!("the snapshot at {at} lacks party {missing:?}"))
    }
}

#[cfg(test)]
mod tests {
    use wire::Epoch;
    use wire::live::events::EventKind;

    use super::*;
    use crate::log::Entry;

    const EPOCH: Epoch = Epoch(Uuid::nil());
    const HERE: Party = Party {
        version: 1,
        is_here: true,
    };

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// Party 1 comes, party 2 comes, party 1 changes, party 2 is removed.
    fn log() -> LogCopy {
        let changed = Party { version: 2, ..HERE };
        let told = [
            (1, Some(HERE)),
            (2, Some(HERE)),
            (1, Some(changed)),
            (2, None),
        ];
        let entries = told.map(|(number, party)| Entry {
            kind: EventKind::GuestUpdated,
            hash: 0,
            completes: None,
            party: Some((id(number), party)),
        });
        LogCopy {
            epoch: EPOCH,
            entries: entries.to_vec(),
        }
    }

    fn contradiction(seq: i64, parties: &[(u128, i32)]) -> Option<String> {
        let parties = parties.iter().map(|(number, version)| {
            (
                id(*number),
                Party {
                    version: *version,
                    ..HERE
                },
            )
        });
        let picture = Picture {
            position: Position { epoch: EPOCH, seq },
            parties: parties.collect(),
        };
        picture.contradiction(&log())
    }

    #[test]
    fn a_true_picture() {
        for (seq, parties) in [
            (0, &[][..]),
            (1, &[(1, 1)]),
            (2, &[(1, 1), (2, 1)]),
            (3, &[(1, 2), (2, 1)]),
            (4, &[(1, 2)]),
        ] {
            assert_eq!(contradiction(seq, parties), None, "at {seq}");
        }
    }

    #[test]
    fn an_older_or_younger_party_one_too_few_and_one_too_many() {
        for (seq, parties) in [
            (3, &[(1, 1), (2, 1)][..]),
            (2, &[(1, 2), (2, 1)]),
            (2, &[(1, 1)]),
            (4, &[(1, 2), (2, 1)]),
            (5, &[(1, 2)]),
        ] {
            assert!(
                contradiction(seq, parties).is_some(),
                "at {seq}: {parties:?}"
            );
        }
    }
}

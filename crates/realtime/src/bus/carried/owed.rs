//! What other workers have not been told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::Mutex;
use wire::RestaurantId;

use crate::bus::Hint;
use crate::event::Commit;

/// Beyond this many restaurants the others find out by comparing with the log, a little later.
const MAX_OWED: usize = 10_000;

/// Of each restaurant, the last event that could not be published. It goes out with the next
/// message that does: others have no other way to know at once, since their own bus is up.
#[derive(Default)]
pub(super) struct Owed(Mutex<HashMap<RestaurantId, Hint>>);

impl Owed {
    pub(super) fn commit(&self, commit: &Commit) {
        if let Some(hint) = commit.hint() {
            self.hint(hint);
        }
    }

    pub(super) fn hint(&self, hint: Hint) {
        let mut owed = self.0.lock();
        let full = owed.len() >= MAX_OWED;
        match owed.entry(hint.restaurant_id) {
            Entry::Occupied(mut known) => {
                if (known.get().epoch, known.get().seq) < (hint.epoch, hint.seq) {
                    known.insert(hint);
                }
            }
            Entry::Vacant(place) => {
                if !full {
                    place.insert(hint);
                }
            }
        }
    }

    pub(super) fn take(&self) -> Vec<Hint> {
        std::mem::take(&mut *self.0.lock()).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::epoch;
    use uuid::Uuid;

    #[test]
    fn the_last_event_of_the_youngest_epoch_is_owed() {
        let owed = Owed::default();
        let hint = |id, e, seq| Hint {
            restaurant_id: RestaurantId(Uuid::from_u128(id)),
            epoch: epoch(e),
            seq,
            committed_at_ms: 0,
        };
        for hint in [hint(1, 1, 5), hint(1, 1, 4), hint(2, 1, 9), hint(2, 2, 3)] {
            owed.hint(hint);
        }
        let mut taken = owed.take();
        taken.sort_by_key(|hint| hint.restaurant_id);
        assert_eq!(taken, [hint(1, 1, 5), hint(2, 2, 3)]);
        assert_eq!(owed.take(), []);
    }
}

//! What devices ask for on a Friday night, and how often.

use rand::Rng;
use rand::rngs::StdRng;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Arrive,
    Note,
    Notify,
    Seat,
    Finish,
    Clear,
    Move,
    Batch,
    ListGuests,
    ListTables,
    Dashboard,
    Snapshot,
}

/// Each with its name and how often it comes, of a hundred requests.
pub(crate) const MIX: [(Kind, &str, u32); 12] = [
    (Kind::Arrive, "guest arrives", 10),
    (Kind::Note, "guest changes", 22),
    (Kind::Notify, "guest is called", 6),
    (Kind::Seat, "guest is seated", 12),
    (Kind::Finish, "guest leaves", 8),
    (Kind::Clear, "table is cleared", 4),
    (Kind::Move, "table is moved", 4),
    (Kind::Batch, "batch of 5–20 guests", 3),
    (Kind::ListGuests, "list of guests", 18),
    (Kind::ListTables, "list of tables", 6),
    (Kind::Dashboard, "dashboard", 4),
    (Kind::Snapshot, "snapshot", 3),
];

impl Kind {
    /// Whether nothing is changed by it.
    pub(crate) const fn is_read(self) -> bool {
        matches!(
            self,
            Self::ListGuests | Self::ListTables | Self::Dashboard | Self::Snapshot
        )
    }
}

/// One of them, by its weight.
pub(crate) fn choose(random: &mut StdRng) -> Kind {
    let mut number = random.random_range(0..MIX.iter().map(|(_, _, weight)| weight).sum());
    for (kind, _, weight) in MIX {
        if number < weight {
            return kind;
        }
        number -= weight;
    }
    Kind::ListGuests
}

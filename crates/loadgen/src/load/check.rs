//! Whether a session was told everything, once and in order.

use serde::{Deserialize, Serialize};
use wire::Seq;

/// What one session was told. Small, because there are ten thousand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Check {
    /// The last number, or what a heartbeat said if that is larger.
    position: Seq,
    /// Numbers that were passed over, from and to.
    missing: Vec<(Seq, Seq)>,
    duplicated: u64,
    disordered: u64,
}

/// What was wrong, of all sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) disordered: u64,
}

impl Check {
    /// Nothing heard after this.
    pub(crate) fn new(position: Seq) -> Self {
        Self {
            position,
            ..Self::default()
        }
    }

    /// Where the session stands.
    pub(crate) const fn position(&self) -> Seq {
        self.position
    }

    /// Takes an event.
    pub(crate) fn hear(&mut self, seq: Seq) {
        if seq > self.position {
            self.reach(seq - 1);
            self.position = seq;
        } else if self.find(seq) {
            self.disordered += 1;
        } else {
            self.duplicated += 1;
        }
    }

    /// Takes the word that everything up to here was said.
    pub(crate) fn reach(&mut self, seq: Seq) {
        if seq > self.position {
            self.missing.push((self.position + 1, seq));
            self.position = seq;
        }
    }

    /// Whether it was missed until now.
    fn find(&mut self, seq: Seq) -> bool {
        let range = |&(from, to): &(Seq, Seq)| from <= seq && seq <= to;
        let Some(index) = self.missing.iter().position(range) else {
            return false;
        };
        let (from, to) = self.missing.swap_remove(index);
        let parts = [(from, seq - 1), (seq + 1, to)];
        self.missing
            .extend(parts.iter().filter(|(from, to)| from <= to));
        true
    }

    /// What was wrong, when the log's head is this.
    pub(crate) fn faults(&self, head: Seq) -> Faults {
        let within = self.missing.iter().map(|(from, to)| to - from + 1);
        let lost = within.sum::<Seq>() + (head - self.position).max(0);
        Faults {
            lost: u64::try_from(lost).unwrap_or(0),
            duplicated: self.duplicated,
            disordered: self.disordered,
        }
    }
}

impl std::ops::AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.disordered += other.disordered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(heard: &[Seq], head: Seq) -> (u64, u64, u64) {
        let mut check = Check::new(10);
        for seq in heard {
            check.hear(*seq);
        }
        let faults = check.faults(head);
        (faults.lost, faults.duplicated, faults.disordered)
    }

    #[test]
    fn lost_doubled_and_out_of_order_are_told_apart() {
        assert_eq!(faults(&[11, 12, 13], 13), (0, 0, 0));
        assert_eq!(faults(&[], 10), (0, 0, 0));
        assert_eq!(faults(&[11, 14], 14), (2, 0, 0));
        assert_eq!(faults(&[11, 12], 14), (2, 0, 0));
        assert_eq!(faults(&[11, 12, 12, 11, 10, 13], 13), (0, 3, 0));
        assert_eq!(faults(&[11, 13, 12, 14], 14), (0, 0, 1));
        assert_eq!(faults(&[15, 13, 13, 11], 15), (2, 1, 2));
    }

    #[test]
    fn a_heartbeat_beyond_what_was_heard_means_loss() {
        let mut check = Check::new(10);
        check.hear(11);
        check.reach(11);
        assert_eq!(check.faults(11), Faults::default());
        check.reach(13);
        assert_eq!((check.position(), check.faults(13).lost), (13, 2));
        check.hear(12);
        assert_eq!(check.faults(13).lost, 1);
    }
}

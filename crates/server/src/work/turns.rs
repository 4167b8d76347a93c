//! Whose turn it is, of restaurants that have something due.
//!
//! Each that was found has one turn before any has a second. One whose turn lasts, or that failed,
//! is not looked for until it is over, or for a while: so it keeps no other waiting, and what it has
//! due, however much, hides what others have.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use wire::RestaurantId;

/// For how long a restaurant is left alone that failed once; twice as long each time after that.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);

/// And how long at most.
const AT_MOST: Duration = Duration::from_secs(60);

/// What has a turn: the rows of one kind, by its name, in one restaurant.
pub(super) type Turn = (&'static str, RestaurantId);

/// Who waits, who is under way, and who failed.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: VecDeque<Turn>,
    under_way: HashSet<Turn>,
    failed: HashMap<Turn, Failed>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    times: u32,
    until: Instant,
}

impl Turns {
    /// Restaurants that have rows of a kind which are due, in their order.
    pub(super) fn found(&mut self, kind: &'static str, restaurants: Vec<RestaurantId>) {
        let turns = restaurants.into_iter().map(|restaurant| (kind, restaurant));
        self.waiting.extend(turns);
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next, which is under way from now on. A restaurant has one turn at a time: its rows are
    /// claimed together.
    pub(super) fn next(&mut self) -> Option<Turn> {
        let is_free = |(_, restaurant): &Turn| {
            let mut under_way = self.under_way.iter();
            !under_way.any(|(_, other)| other == restaurant)
        };
        let place = self.waiting.iter().position(is_free)?;
        let turn = self.waiting.remove(place)?;
        self.under_way.insert(turn);
        Some(turn)
    }

    /// A turn is over.
    pub(super) fn over(&mut self, turn: Turn, is_ok: bool, now: Instant) {
        self.under_way.remove(&turn);
        if is_ok {
            self.failed.remove(&turn);
            return;
        }
        let times = self.failed.get(&turn).map_or(0, |failed| failed.times);
        let wait = AFTER_A_FAILURE * 2_u32.saturating_pow(times.min(10));
        let failed = Failed {
            times: times + 1,
            until: now + wait.min(AT_MOST),
        };
        self.failed.insert(turn, failed);
    }

    /// The restaurants that are not to be looked for now.
    pub(super) fn left_alone(&mut self, kind: &'static str, now: Instant) -> Vec<RestaurantId> {
        // Long after its time somebody else did it, or nothing is due any more.
        self.failed.retain(|_, failed| now < failed.until + AT_MOST);
        let failed = self.failed.iter().filter(|(_, failed)| now < failed.until);
        let of_kind = failed
            .map(|(turn, _)| turn)
            .chain(&self.under_way)
            .filter(|(other, _)| *other == kind);
        of_kind.map(|(_, restaurant)| *restaurant).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const FLOOR: &str = "floor";

    fn house(number: u128) -> RestaurantId {
        RestaurantId(Uuid::from_u128(number))
    }

    #[test]
    fn each_has_its_turn_in_order() {
        let mut turns = Turns::default();
        turns.found(FLOOR, vec![house(1), house(2)]);
        turns.found("kitchen", vec![house(1), house(3)]);
        let order: Vec<_> = std::iter::from_fn(|| turns.next()).collect();
        let expected = [(FLOOR, house(1)), (FLOOR, house(2)), ("kitchen", house(3))];
        assert_eq!(order, expected, "one turn of a restaurant at a time");
        assert!(!turns.is_empty());
        turns.over((FLOOR, house(1)), true, Instant::now());
        assert_eq!(turns.next(), Some(("kitchen", house(1))));
        assert!(turns.is_empty());
    }

    #[test]
    fn who_is_slow_or_fails_is_left_alone() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        turns.found(FLOOR, vec![house(1), house(2)]);
        let (slow, failing) = (turns.next().unwrap(), turns.next().unwrap());
        turns.over(failing, false, now);
        let mut alone = turns.left_alone(FLOOR, now);
        alone.sort_unstable();
        assert_eq!(alone, [house(1), house(2)]);
        assert!(turns.left_alone("kitchen", now).is_empty());
        turns.over(slow, true, now);
        let after = |seconds| now + Duration::from_secs(seconds);
        assert!(turns.left_alone(FLOOR, after(1)).is_empty());
        // Again, and for twice as long.
        turns.over(failing, false, after(1));
        assert_eq!(turns.left_alone(FLOOR, after(2)), [house(2)]);
        assert!(turns.left_alone(FLOOR, after(3)).is_empty());
        for _ in 0..20 {
            turns.over(failing, false, after(3));
        }
        assert_eq!(turns.left_alone(FLOOR, after(62)), [house(2)]);
        assert!(
            turns.left_alone(FLOOR, after(63)).is_empty(),
            "a minute at most"
        );
        turns.over(failing, true, after(63));
        turns.over(failing, false, after(64));
        assert!(turns.left_alone(FLOOR, after(65)).is_empty(), "once again");
    }
}

//! How long parties stay: what the house has seen, and what its settings say while it has seen
//! little.
//!
//! The settings' turn time counts as [`PRIOR_WEIGHT`] parties that stayed around it; every own
//! seating counts as one. So a new restaurant is believed what it says, twenty seatings outweigh it
//! two to one, and no parameter has to be fitted: the stays are the distribution.

use wire::rooms::RestaurantSettings;

use super::model::Turn;

/// How many seatings the settings count for.
pub(super) const PRIOR_WEIGHT: usize = 10;

/// How stays spread around a turn time when nothing else is known, in per cent of it: the middles
/// of ten equal parts of a log-normal distribution whose logarithm has the deviation 0.3.
const SPREAD: [i64; PRIOR_WEIGHT] = [61, 73, 82, 89, 96, 104, 112, 122, 136, 164];

/// A party that was seated for a shorter time was seated by mistake.
const SHORTEST: i64 = 10;

/// A table that was taken for longer than so many turn times was not cleared in time.
const LONGEST: i64 = 3;

/// How much longer they stay who have stayed longer than anybody before, in minutes.
const OVERSTAY: [i64; 5] = [5, 10, 15, 20, 30];

/// Parties that stay about equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) least: i32,
    pub(super) most: i32,
}

impl Band {
    /// The one of a party size.
    pub(super) fn of(party_size: i32) -> Self {
        let (least, most) = match party_size {
            ..=2 => (1, 2),
            3..=4 => (3, 4),
            5..=6 => (5, 6),
            _ => (7, 100),
        };
        Self { least, most }
    }
}

/// How long parties of some size stay, in minutes, the shortest first; all equally likely.
#[derive(Clone, Debug)]
pub(super) struct Stays {
    minutes: Vec<i64>,
    /// How many are the house's own.
    pub(super) seen: usize,
}

impl Stays {
    pub(super) fn new(settings: &RestaurantSettings, turns: &[Turn], party_size: i32) -> Self {
        let band = Band::of(party_size);
        let turn = i64::from(settings.floor.turn_minutes(party_size));
        let mut minutes: Vec<i64> = turns
            .iter()
            .filter(|(size, minutes)| {
                (band.least..=band.most).contains(size) && *minutes >= SHORTEST
            })
            .map(|(_, minutes)| (*minutes).min(LONGEST * turn))
            .collect();
        let seen = minutes.len();
        minutes.extend(SPREAD.map(|percent| (turn * percent / 100).max(SHORTEST)));
        minutes.sort_unstable();
        Self { minutes, seen }
    }

    /// How long half of them stay at most.
    pub(super) fn median(&self) -> i64 {
        self.at(0, 1)
    }

    /// The stay in the slice `slice` of `of` equal ones.
    pub(super) fn at(&self, slice: usize, of: usize) -> i64 {
        pick(&self.minutes, slice, of)
    }

    /// How much longer a party stays that has been there for `elapsed` minutes, in the slice
    /// `slice` of `of` equal ones: as those did who stayed longer than that.
    pub(super) fn rest_at(&self, elapsed: i64, slice: usize, of: usize) -> i64 {
        let gone = self.minutes.partition_point(|stay| *stay <= elapsed);
        match self.minutes.get(gone..) {
            Some([]) | None => pick(&OVERSTAY, slice, of),
            Some(longer) => pick(longer, slice, of) - elapsed,
        }
    }
}

/// The value at the middle of a slice of a sorted list.
fn pick(sorted: &[i64], slice: usize, of: usize) -> i64 {
    let index = (2 * slice + 1) * sorted.len() / (2 * of.max(1));
    let index = index.min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stays(turns: &[Turn]) -> Stays {
        Stays::new(&RestaurantSettings::default(), turns, 2)
    }

    #[test]
    fn the_settings_are_believed_until_something_was_seen() {
        let new = stays(&[]);
        assert_eq!((new.seen, new.median()), (0, 93));
        let quick: Vec<Turn> = vec![(2, 40); 20];
        assert_eq!(stays(&quick).median(), 40);
        assert_eq!(stays(&quick[..5]).median(), 73, "five are not enough yet");
        let other_sizes: Vec<Turn> = vec![(4, 40); 50];
        assert_eq!(stays(&other_sizes).seen, 0);
    }

    #[test]
    fn taps_by_mistake_and_forgotten_tables_do_not_count() {
        let odd: Vec<Turn> = vec![(2, 1), (2, 900)];
        let stays = stays(&odd);
        assert_eq!(stays.seen, 1);
        assert_eq!(stays.at(99, 100), 270, "three turn times at most");
    }

    #[test]
    fn who_sits_for_long_may_leave_soon() {
        let stays = stays(&[]);
        assert_eq!(stays.rest_at(0, 50, 100), stays.median());
        assert_eq!(stays.rest_at(140, 50, 100), 7);
        assert!((5..=30).contains(&stays.rest_at(1000, 50, 100)));
    }

    proptest! {
        #[test]
        fn nobody_leaves_in_the_past(
            turns in prop::collection::vec((1..5_i32, 0..2000_i64), 0..40),
            elapsed in 0..2000_i64,
            slice in 0..64_usize,
        ) {
            let stays = stays(&turns);
            prop_assert!(stays.rest_at(elapsed, slice, 64) > 0);
            prop_assert!(stays.at(slice, 64) >= SHORTEST);
            prop_assert!(slice == 0 || stays.at(slice - 1, 64) <= stays.at(slice, 64));
        }
    }
}

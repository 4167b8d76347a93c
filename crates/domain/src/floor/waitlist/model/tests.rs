use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn id(n: usize) -> TableId {
    TableId(Uuid::from_u128(u128::try_from(n).unwrap() + 1))
}

fn ago(minutes: i64) -> DateTime<Utc> {
    NOW - TimeDelta::minutes(minutes)
}

/// A floor with tables of these capacities, nobody there.
fn floor(capacities: &[i32]) -> Floor {
    Floor {
        settings: RestaurantSettings::default(),
        tables: (0..)
            .zip(capacities)
            .map(|(n, capacity)| FloorTable {
                id: id(n),
                number: n.to_string(),
                capacity: *capacity,
                min_party_size: 1,
                status: TableStatus::Available,
            })
            .collect(),
        sittings: Vec::new(),
        queue: Vec::new(),
        claims: Vec::new(),
        turns: Vec::new(),
    }
}

impl Floor {
    fn sit(mut self, tables: &[usize], party_size: i32, minutes: i64) -> Self {
        for table in tables {
            self.tables[*table].status = TableStatus::Occupied;
        }
        self.sittings.push(Sitting {
            party_size,
            since: ago(minutes),
            tables: tables.iter().map(|n| id(*n)).collect(),
        });
        self
    }

    fn claim(mut self, table: usize, from: i64, until: i64) -> Self {
        self.claims.push(Claim {
            table: id(table),
            from: ago(-from),
            until: ago(-until),
        });
        self
    }

    fn wait(mut self, sizes: &[i32]) -> Self {
        self.queue.extend(sizes);
        self
    }
}

fn quote(floor: &Floor, party_size: i32, now: DateTime<Utc>) -> WaitQuote {
    Quotes::new(floor.clone(), now).quote(party_size)
}

fn range(floor: &Floor, party_size: i32) -> (i32, i32) {
    let quote = quote(floor, party_size, NOW);
    (quote.low_minutes.unwrap(), quote.high_minutes.unwrap())
}

#[test]
fn nobody_waits_for_a_free_table() {
    let quote = quote(&floor(&[2, 4]).sit(&[0], 2, 10), 2, NOW);
    assert_eq!((quote.low_minutes, quote.high_minutes), (Some(0), Some(0)));
    assert_eq!((quote.parties_ahead, quote.basis.free_now), (0, 1));
    assert_eq!(quote.basis.next_free_minutes, Some(0));
}

#[test]
fn what_a_wait_depends_on() {
    let full = floor(&[4]).sit(&[0], 4, 30);
    // The settings say 90 minutes: most who sit for 30 stay for 35 to 92 more.
    assert_eq!(range(&full, 2), (35, 95));
    let long = floor(&[4]).sit(&[0], 4, 100);
    assert_eq!(
        range(&long, 2),
        (5, 50),
        "they may ask for the bill any minute"
    );
    let (_, queued) = range(&full.clone().wait(&[2]), 2);
    assert!(queued > 120, "{queued}: somebody eats there before");
    assert_eq!(
        range(&floor(&[4, 8]).sit(&[0], 4, 30).wait(&[8]), 2),
        (35, 95),
        "who needs the large table is not in the way"
    );
    // A booking that leaves too little time before it.
    assert_eq!(range(&floor(&[2]).claim(0, 60, 150), 2), (150, 150));
    assert_eq!(range(&floor(&[2]).claim(0, 120, 210), 2), (0, 0));
    let mut dirty = floor(&[2]);
    dirty.tables[0].status = TableStatus::NeedsCleaning;
    assert_eq!(range(&dirty, 2), (5, 5));
}

#[test]
fn the_houses_own_turn_times_count() {
    let mut quick = floor(&[4]).sit(&[0], 4, 10);
    let (before, _) = range(&quick, 4);
    quick.turns = vec![(4, 35); 40];
    let quote = quote(&quick, 4, NOW);
    assert_eq!((quote.low_minutes, quote.basis.seatings), (Some(25), 40));
    assert!(before > 40);
    assert_eq!(
        (
            quote.basis.min_party_size,
            quote.basis.max_party_size,
            quote.basis.turn_minutes
        ),
        (3, 4, 35)
    );
}

#[test]
fn joined_tables_wait_for_the_last_of_them() {
    let mut house = floor(&[4, 4]).sit(&[0], 2, 0);
    assert_eq!(
        quote(&house, 8, NOW).low_minutes,
        None,
        "nothing is large enough"
    );
    assert_eq!(quote(&house, 8, NOW).basis.tables_that_fit, 0);
    house.settings = serde_json::from_value(json!({
        "joinableGroups": [{"tableIds": [id(0), id(1)]}]
    }))
    .unwrap();
    let (low, high) = range(&house, 8);
    assert_eq!((low, high), (65, 125));
    let together = floor(&[4, 4]).sit(&[0, 1], 8, 0);
    assert_eq!(range(&together, 2), (65, 125), "one party, one stay");
    let apart = floor(&[4, 4]).sit(&[0], 4, 0).sit(&[1], 4, 0);
    assert!(range(&apart, 2).1 < 125, "the first of two leaves earlier");
}

fn floors() -> impl Strategy<Value = Floor> {
    let table = (prop::sample::select(vec![2, 4, 6]), 0..4_i64, 0..200_i64);
    let claim = (0..8_usize, 0..200_i64, 15..120_i64);
    (
        prop::collection::vec(table, 1..8),
        prop::collection::vec(claim, 0..4),
        prop::collection::vec(1..7_i32, 0..6),
        prop::collection::vec((1..7_i32, 5..200_i64), 0..30),
    )
        .prop_map(|(tables, claims, queue, turns)| {
            let capacities: Vec<i32> = tables.iter().map(|(capacity, ..)| *capacity).collect();
            let mut floor = floor(&capacities);
            for (n, (capacity, kind, minutes)) in tables.iter().enumerate() {
                match kind {
                    0 => floor.tables[n].status = TableStatus::Reserved,
                    1 => {}
                    _ => floor = floor.sit(&[n], *capacity, *minutes),
                }
            }
            for (table, from, length) in claims {
                floor = floor.claim(table % tables.len(), from, from + length);
            }
            floor.queue = queue;
            floor.turns = turns;
            floor
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_range_is_a_range(floor in floors(), size in 1..7_i32) {
        let found = quote(&floor, size, NOW);
        prop_assert_eq!(&quote(&floor, size, NOW), &found, "the same floor, the same quote");
        prop_assert_eq!(found.low_minutes.is_some(), found.basis.tables_that_fit > 0);
        let (Some(low), Some(high)) = (found.low_minutes, found.high_minutes) else {
            return Ok(());
        };
        prop_assert!(0 <= low && low <= high && high <= 240, "{low}–{high}");
        prop_assert!(low % 5 == 0 && high % 5 == 0);
        prop_assert!(found.parties_ahead <= floor.queue.len());
        if found.basis.free_now > 0 && floor.queue.is_empty() {
            prop_assert_eq!((low, high), (0, 0));
        }
        if found.basis.free_now == 0 {
            prop_assert!(high > 0);
        }
    }

    /// Who joined one after the other is as who waited from the beginning; and the wait is the
    /// longest that was seen on the way, after everybody who was seated before.
    #[test]
    fn joining_is_waiting(
        floor in floors(), size in 1..7_i32, more in prop::collection::vec(1..7_i32, 0..12),
    ) {
        let mut joined = Quotes::new(floor.clone(), NOW);
        let own = joined.wanting(size);
        let waits = |quotes: &Quotes| -> Vec<i64> {
            quotes.evenings.iter().map(|evening| own.first(&evening.free)).collect()
        };
        let mut longest = waits(&joined);
        for other in &more {
            joined.quote(*other);
            joined.join(*other);
            for (longest, wait) in longest.iter_mut().zip(waits(&joined)) {
                *longest = wait.max(*longest);
            }
        }
        prop_assert_eq!(waits(&joined), longest);
        prop_assert_eq!(joined.quote(size), quote(&floor.wait(&more), size, NOW));
    }

    #[test]
    fn one_more_in_the_queue_never_shortens_it(floor in floors(), size in 1..7_i32, more in 1..7_i32) {
        let (before, after) = (quote(&floor, size, NOW), quote(&floor.wait(&[more]), size, NOW));
        prop_assert!(before.low_minutes <= after.low_minutes);
        prop_assert!(before.high_minutes <= after.high_minutes);
    }

    #[test]
    fn one_more_table_never_lengthens_it_for_the_first_in_the_queue(
        floor in floors(), size in 1..7_i32,
    ) {
        let mut floor = floor;
        floor.queue.clear();
        let before = quote(&floor, size, NOW);
        let n = floor.tables.len();
        floor.tables.push(FloorTable {
            id: id(n),
            number: n.to_string(),
            capacity: size.max(2),
            min_party_size: 1,
            status: TableStatus::Available,
        });
        let after = quote(&floor, size, NOW);
        prop_assert_eq!((after.low_minutes, after.high_minutes), (Some(0), Some(0)));
        prop_assert!(after.basis.tables_that_fit > 0);
        prop_assert!(before.low_minutes.is_none_or(|low| low >= 0));
    }
}

#[test]
fn what_else_makes_parties_wait_is_added_to_both_ends() {
    let mut quotes = Quotes::new(floor(&[4]), NOW);
    let before = quotes.quote(2);
    assert!(before.basis.delays.is_empty());
    let delay = QuoteDelay {
        room: "kitchen".to_owned(),
        minutes: 20,
        basis: "14 orders are open.".to_owned(),
    };
    quotes.add(vec![delay.clone()]);
    let after = quotes.quote(2);
    let later = |minutes: Option<i32>| minutes.map(|minutes| minutes + 20);
    assert_eq!(after.low_minutes, later(before.low_minutes));
    assert_eq!(after.high_minutes, later(before.high_minutes));
    assert_eq!(after.basis.delays, [delay]);
}

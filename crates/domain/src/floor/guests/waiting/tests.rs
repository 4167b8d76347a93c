use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// A party that came at a second; `place` is where it waits, if it does.
fn party(id: u128, came: i64, place: Option<i32>) -> GuestRow {
    let id = GuestId(Uuid::from_u128(id));
    GuestRow {
        party_size: 2,
        wait_position: place,
        ..GuestRow::new(RestaurantId(Uuid::nil()), id, at(came))
    }
}

/// What orders a party.
fn time(row: &GuestRow) -> DateTime<Utc> {
    row.queue_time.unwrap_or(row.check_in_time)
}

fn columns(row: &GuestRow) -> Row {
    (
        row.id,
        row.wait_position,
        row.queue_time,
        row.check_in_time,
        row.last_updated,
    )
}

/// A list that is changed as the operations do it.
#[derive(Clone, Debug)]
struct List(Vec<GuestRow>);

impl List {
    /// So many who came one after the other, `apart` microseconds.
    fn of(count: u8, apart: i64) -> Self {
        Self(
            (0..count)
                .map(|n| {
                    let mut row = party(n.into(), 0, Some(i32::from(n) + 1));
                    row.check_in_time = at(0) + TimeDelta::microseconds(apart) * n.into();
                    row.queue_time = (apart == 0 && n > 0).then(|| at(0) + TICK * n.into());
                    row
                })
                .collect(),
        )
    }

    fn go(&mut self, id: u128, goal: Goal) {
        let id = GuestId(Uuid::from_u128(id));
        let index = self.0.iter().position(|row| row.id == id).unwrap();
        let mut own = self.0.swap_remove(index);
        let mut line = Line::new(self.0.iter().map(columns).collect());
        line.arrange(&mut own, goal);
        assert_eq!(
            line.entries.iter().find(|entry| entry.id == id).copied(),
            Entry::of(&own)
        );
        for (id, moved) in &line.moved {
            let known = self.0.iter_mut().find(|known| known.id == *id).unwrap();
            let before = (known.wait_position, known.queue_time);
            assert_eq!(before, (Some(moved.position), moved.queue_time));
            let row = line.as_it_will_be(known, known.last_updated).unwrap();
            let place = (row.wait_position, row.queue_time);
            assert_ne!(before, place, "told of although nothing changed");
            assert_eq!(row.version, known.version + 1);
            *known = row;
        }
        self.0.push(own);
    }

    /// Who waits, in the order of places, which are without gaps and agree with the times.
    fn waiting(&self) -> Vec<u128> {
        let mut waiting: Vec<&GuestRow> = self
            .0
            .iter()
            .filter(|row| row.wait_position.is_some())
            .collect();
        waiting.sort_by_key(|row| row.wait_position);
        let places: Vec<i32> = waiting.iter().filter_map(|row| row.wait_position).collect();
        let count = i32::try_from(places.len()).unwrap();
        assert_eq!(places, (1..=count).collect::<Vec<_>>());
        assert!(
            waiting.is_sorted_by(|a, b| time(a) < time(b)),
            "{waiting:#?}"
        );
        for row in &waiting {
            assert_eq!(time(row).timestamp_subsec_nanos() % 1000, 0, "as stored");
        }
        waiting.iter().map(|row| row.id.0.as_u128()).collect()
    }
}

#[test]
fn a_party_is_moved_and_the_others_make_room() {
    for (goal, expected) in [
        (Goal::To(1), [3, 0, 1, 2, 4]),
        (Goal::To(3), [0, 1, 3, 2, 4]),
        (Goal::To(4), [0, 1, 2, 3, 4]),
        (Goal::To(5), [0, 1, 2, 4, 3]),
        (Goal::To(99), [0, 1, 2, 4, 3]),
    ] {
        for apart in [0, 1, 1_000_000] {
            let mut list = List::of(5, apart);
            list.go(3, goal);
            assert_eq!(list.waiting(), expected, "{goal:?}, {apart} µs apart");
        }
    }
}

#[test]
fn whoever_comes_back_stands_between_the_same_neighbours() {
    let mut list = List::of(5, 1_000_000);
    list.go(4, Goal::To(2));
    for gone in [4, 0] {
        list.go(gone, Goal::Off);
    }
    assert_eq!(list.waiting(), [1, 2, 3]);
    list.go(4, Goal::Back);
    assert_eq!(list.waiting(), [4, 1, 2, 3], "where it had been put");
    list.go(0, Goal::Back);
    assert_eq!(list.waiting(), [0, 4, 1, 2, 3]);
}

#[test]
fn gaps_of_an_older_program_are_closed() {
    let rows = vec![
        party(1, 10, Some(7)),
        party(2, 20, Some(7)),
        party(3, 30, Some(9)),
    ];
    let mut list = List(rows);
    list.0.push(party(4, 5, None));
    list.go(4, Goal::Back);
    assert_eq!(list.waiting(), [4, 1, 2, 3]);
}

proptest! {
    #[test]
    fn places_have_no_gaps_whatever_is_done(
        apart in prop::sample::select(vec![0_i64, 1, 3, 1_000_000]),
        steps in prop::collection::vec((0..8_u128, 0..12_i32), 0..60),
    ) {
        let mut list = List::of(8, apart);
        for (id, what) in steps {
            let before = list.waiting();
            let goal = match what {
                0 | 1 => Goal::Off,
                2 | 3 if !before.contains(&id) => Goal::Back,
                place => Goal::To(place),
            };
            list.go(id, goal);
            let after = list.waiting();
            let others = |list: &[u128]| -> Vec<u128> {
                list.iter().copied().filter(|other| *other != id).collect()
            };
            prop_assert_eq!(others(&before), others(&after), "the others keep their order");
            prop_assert_eq!(after.contains(&id), goal != Goal::Off);
            if let Goal::To(place) = goal {
                let index = usize::try_from(place - 1).unwrap().min(after.len() - 1);
                prop_assert_eq!(after.get(index), Some(&id));
            }
        }
    }

    #[test]
    fn a_line_in_memory_is_as_one_that_is_written_each_time(
        apart in prop::sample::select(vec![0_i64, 1, 1_000_000]),
        steps in prop::collection::vec((0..8_u128, 0..12_i32), 0..60),
    ) {
        let mut list = List::of(8, apart);
        let mut rows = list.0.clone();
        let mut line = Line::new(rows.iter().map(columns).collect());
        for (id, what) in steps {
            let party = GuestId(Uuid::from_u128(id));
            let goal = match what {
                0 | 1 => Goal::Off,
                2 | 3 if !line.has(party) => Goal::Back,
                place => Goal::To(place),
            };
            list.go(id, goal);
            let row = rows.iter_mut().find(|row| row.id == party).unwrap();
            let mut own = line.as_it_will_be(row, row.last_updated).unwrap_or_else(|| row.clone());
            line.arrange(&mut own, goal);
            *row = own;
        }
        for row in &mut rows {
            if let Some(next) = line.as_it_will_be(row, row.last_updated) {
                *row = next;
            }
        }
        list.0.sort_by_key(|row| row.id);
        prop_assert_eq!(rows, list.0);
    }
}

use proptest::prelude::*;
use uuid::Uuid;
use wire::floor::settings::{FloorSettings, JoinableGroup, Pacing, TurnTime};
use wire::venue::settings::{HoursException, OpeningHours, Pause, VenueSettings};

use super::*;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn id(number: u128) -> TableId {
    TableId(Uuid::from_u128(number))
}

fn table(number: u128, capacity: i32) -> PlanTable {
    PlanTable {
        id: id(number),
        number: number.to_string(),
        capacity,
        min_party_size: 1,
    }
}

/// In Berlin, open from 18:00 to 26:00 every day, one table for four.
fn house() -> House {
    let hours = Hours {
        opens_minute: 18 * 60,
        closes_minute: 26 * 60,
    };
    let weekly = Weekday::ALL
        .iter()
        .map(|weekday| OpeningHours {
            weekday: *weekday,
            hours,
        })
        .collect();
    House {
        zone: chrono_tz::Europe::Berlin,
        settings: RestaurantSettings {
            venue: VenueSettings {
                opening_hours: Some(weekly),
                ..VenueSettings::default()
            },
            ..RestaurantSettings::default()
        },
        tables: vec![table(1, 4)],
        busy: Vec::new(),
        arrivals: Vec::new(),
    }
}

fn ask(party_size: i32) -> Ask {
    Ask {
        party_size,
        duration: TimeDelta::minutes(90),
        large_tables: false,
        now: utc("2026-01-01T00:00:00Z"),
    }
}

fn local_times(house: &House, day: &str, ask: &Ask) -> Vec<String> {
    let slots = house.slots(date(day), ask);
    slots.into_iter().map(|slot| slot.local_time).collect()
}

#[test]
fn the_last_party_leaves_when_the_house_closes() {
    let times = local_times(&house(), "2026-11-20", &ask(2));
    assert_eq!(times.first().map(String::as_str), Some("18:00"));
    assert_eq!(times.last().map(String::as_str), Some("00:30"));
    assert_eq!(times.len(), 27);
}

#[test]
fn a_night_in_which_the_clock_is_put_back_is_an_hour_longer() {
    let house = House {
        settings: RestaurantSettings::default(),
        ..house()
    };
    let slots = house.slots(date("2026-10-25"), &ask(2));
    assert_eq!(slots.len(), 25 * 4);
    let twice: Vec<_> = slots
        .iter()
        .filter(|slot| slot.local_time == "02:30")
        .collect();
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[1].time - twice[0].time, TimeDelta::hours(1));
}

#[test]
fn a_night_in_which_it_is_put_forward_is_an_hour_shorter() {
    let around_the_clock = House {
        settings: RestaurantSettings::default(),
        ..house()
    };
    let times = local_times(&around_the_clock, "2026-03-29", &ask(2));
    assert_eq!(times.len(), 23 * 4);
    assert!(
        !times.iter().any(|time| time.starts_with("02:")),
        "{times:?}"
    );
    // The house that closes at two by the clock closes an hour earlier for those who eat.
    let ordinary = house().slots(date("2026-03-27"), &ask(2)).len();
    assert_eq!(house().slots(date("2026-03-28"), &ask(2)).len(), ordinary);
    let until_three = |day: &str| {
        let mut house = house();
        house.settings.venue.opening_hours = None;
        let hours = vec![Hours {
            opens_minute: 18 * 60,
            closes_minute: 27 * 60 + 30,
        }];
        let exception = HoursException {
            date: date(day),
            hours,
            reason: None,
        };
        house.settings.venue.hours_exceptions = vec![exception];
        house.slots(date(day), &ask(2)).len()
    };
    assert_eq!(until_three("2026-03-28") + 4, until_three("2026-03-27"));
    assert_eq!(until_three("2026-10-24"), until_three("2026-10-23") + 4);
}

#[test]
fn days_that_are_unlike_their_weekday() {
    let mut house = house();
    house.settings.venue.hours_exceptions = vec![
        HoursException {
            date: date("2026-12-24"),
            hours: vec![],
            reason: Some("Christmas Eve".to_owned()),
        },
        HoursException {
            date: date("2026-12-31"),
            hours: vec![Hours {
                opens_minute: 20 * 60,
                closes_minute: 22 * 60,
            }],
            reason: None,
        },
    ];
    assert!(house.slots(date("2026-12-24"), &ask(2)).is_empty());
    assert_eq!(
        local_times(&house, "2026-12-31", &ask(2)),
        ["20:00", "20:15", "20:30"]
    );
    assert_eq!(
        house.check_time(utc("2026-12-24T19:00:00Z"), &ask(2)),
        Err(Closed::Hours)
    );
    // The night before may still end after midnight.
    assert_eq!(
        house.check_time(utc("2026-12-23T23:00:00Z"), &ask(2)),
        Ok(())
    );
}

#[test]
fn no_more_tonight_is_not_next_saturday() {
    let mut house = house();
    house.settings.venue.pauses = vec![Pause {
        from: utc("2026-11-21T18:30:00Z"),
        until: utc("2026-11-22T04:00:00Z"),
        reason: None,
    }];
    let tonight = local_times(&house, "2026-11-21", &ask(2));
    assert_eq!(tonight.last().map(String::as_str), Some("19:15"));
    assert_eq!(house.slots(date("2026-11-28"), &ask(2)).len(), 27);
}

#[test]
fn no_slot_in_the_past() {
    let now = Ask {
        now: utc("2026-11-20T18:01:00Z"),
        ..ask(2)
    };
    let times = local_times(&house(), "2026-11-20", &now);
    assert_eq!(times.first().map(String::as_str), Some("19:15"));
    // A slot that was chosen a moment ago is still taken.
    assert_eq!(
        house().check_time(utc("2026-11-20T18:00:00Z"), &now),
        Ok(())
    );
    assert_eq!(
        house().check_time(utc("2026-11-20T17:45:00Z"), &now),
        Err(Closed::Past)
    );
}

#[test]
fn not_all_at_once() {
    let mut house = house();
    house.tables = (1..=9).map(|n| table(n, 4)).collect();
    house.settings.floor.pacing = Pacing {
        max_covers: Some(8),
        max_parties: Some(3),
    };
    let at = |time: &str, party_size| Arrival {
        time: utc(time),
        party_size,
    };
    house.arrivals = vec![
        at("2026-11-20T18:00:00Z", 4),
        at("2026-11-20T18:14:00Z", 1),
        at("2026-11-20T18:15:00Z", 1),
    ];
    let check = |time: &str, size| house.check_time(utc(time), &ask(size));
    assert_eq!(check("2026-11-20T18:00:00Z", 3), Ok(()));
    assert_eq!(check("2026-11-20T18:00:00Z", 4), Err(Closed::Pacing));
    assert_eq!(check("2026-11-20T18:15:00Z", 4), Ok(()));
    let crowded = House {
        arrivals: vec![at("2026-11-20T18:00:00Z", 1); 3],
        ..house.clone()
    };
    assert_eq!(
        crowded.check_time(utc("2026-11-20T18:05:00Z"), &ask(1)),
        Err(Closed::Pacing)
    );
}

#[test]
fn the_smallest_table_first_and_joined_ones_last() {
    let mut house = house();
    house.tables = vec![table(1, 4), table(2, 2), table(3, 4), table(4, 6)];
    house.settings.floor.joinable_groups = vec![
        JoinableGroup {
            table_ids: vec![id(1), id(3)],
            min_party_size: None,
            max_party_size: None,
        },
        JoinableGroup {
            table_ids: vec![id(1), id(2), id(99)],
            min_party_size: None,
            max_party_size: None,
        },
    ];
    let time = utc("2026-11-20T18:00:00Z");
    let place = |house: &House, size, busy: &[u128], large_tables| {
        let house = House {
            busy: busy
                .iter()
                .map(|n| Busy {
                    table_id: id(*n),
                    from: time - TimeDelta::hours(1),
                    until: time + TimeDelta::minutes(1),
                })
                .collect(),
            ..house.clone()
        };
        let ask = Ask {
            large_tables,
            ..ask(size)
        };
        let found = house.place(time, &ask).map(|tables| {
            tables
                .iter()
                .map(|table| table.id.0.as_u128())
                .collect::<Vec<_>>()
        });
        found.unwrap_or_default()
    };
    for (size, busy, large, expected) in [
        (2, &[][..], false, &[2][..]),
        (2, &[2], false, &[1]),
        (2, &[2, 1], false, &[3]),
        // No table for six to two, unless it is asked for.
        (2, &[1, 2, 3], false, &[]),
        (2, &[1, 2, 3], true, &[4]),
        (3, &[1, 3], false, &[4]),
        (6, &[], false, &[4]),
        (6, &[4], false, &[1, 3]),
        (6, &[4, 3], false, &[]),
        (8, &[], false, &[1, 3]),
        (9, &[], true, &[]),
    ] {
        assert_eq!(
            place(&house, size, busy, large),
            expected,
            "{size}, {busy:?} are busy"
        );
    }
    // A house that has nothing else gives a table for six to two.
    house.tables = vec![table(4, 6)];
    assert_eq!(place(&house, 2, &[], false), [4]);
    house.tables[0].min_party_size = 3;
    assert_eq!(place(&house, 2, &[], false), Vec::<u128>::new());
}

#[test]
fn one_party_may_follow_another() {
    let mut house = house();
    house.busy = vec![Busy {
        table_id: id(1),
        from: utc("2026-11-20T18:30:00Z"),
        until: utc("2026-11-20T20:00:00Z"),
    }];
    let times = local_times(&house, "2026-11-20", &ask(2));
    assert_eq!(times.first().map(String::as_str), Some("18:00"));
    let shorter = Ask {
        duration: TimeDelta::minutes(60),
        ..ask(2)
    };
    let times = local_times(&house, "2026-11-20", &shorter);
    assert_eq!(times[..4], ["18:00", "18:15", "18:30", "21:00"]);
}

#[test]
fn larger_parties_stay_longer() {
    let settings = FloorSettings {
        turn_times: vec![
            TurnTime {
                max_party_size: 2,
                minutes: 75,
            },
            TurnTime {
                max_party_size: 6,
                minutes: 105,
            },
        ],
        default_turn_minutes: 150,
        ..FloorSettings::default()
    };
    for (size, minutes) in [(1, 75), (2, 75), (3, 105), (6, 105), (7, 150), (100, 150)] {
        assert_eq!(settings.turn_minutes(size), minutes, "{size}");
    }
    assert_eq!(FloorSettings::default().turn_minutes(2), 90);
}

prop_compose! {
    fn any_house()(
        capacities in prop::collection::vec(1..10_i32, 1..7),
        busy in prop::collection::vec((0..7_u128, -2000..4000_i64, 1..300_i64), 0..25),
        opens in 0..1439_i32,
        length in 1..1440_i32,
        groups in prop::collection::vec(prop::collection::btree_set(0..7_u128, 2..4), 0..4),
        covers in prop::option::of(1..30_i32),
        arrivals in prop::collection::vec((-2000..4000_i64, 1..8_i32), 0..10),
        zone in prop::sample::select(vec![
            chrono_tz::Europe::Berlin, chrono_tz::America::New_York, chrono_tz::Australia::Lord_Howe,
            chrono_tz::Asia::Kathmandu, chrono_tz::UTC,
        ]),
    ) -> House {
        let base = utc("2026-03-28T00:00:00Z");
        let hours = Hours { opens_minute: opens, closes_minute: opens + length };
        let mut settings = RestaurantSettings::default();
        settings.venue.opening_hours = Some(
            Weekday::ALL.iter().map(|weekday| OpeningHours { weekday: *weekday, hours }).collect(),
        );
        settings.floor.joinable_groups = groups
            .into_iter()
            .map(|tables| JoinableGroup {
                table_ids: tables.into_iter().map(id).collect(),
                min_party_size: None,
                max_party_size: None,
            })
            .collect();
        settings.floor.pacing = Pacing { max_covers: covers, max_parties: None };
        House {
            zone,
            settings,
            tables: (0..).zip(capacities).map(|(n, capacity)| table(n, capacity)).collect(),
            busy: busy
                .into_iter()
                .map(|(n, from, length)| {
                    let from = base + TimeDelta::minutes(from);
                    Busy { table_id: id(n), from, until: from + TimeDelta::minutes(length) }
                })
                .collect(),
            arrivals: arrivals
                .into_iter()
                .map(|(minute, party_size)| Arrival { time: base + TimeDelta::minutes(minute), party_size })
                .collect(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_offered_can_be_had(
        house in any_house(),
        party_size in 1..20_i32,
        duration in 15..400_i64,
        large_tables: bool,
        day in prop::sample::select(vec!["2026-03-27", "2026-03-28", "2026-03-29"]),
    ) {
        let ask = Ask { duration: TimeDelta::minutes(duration), large_tables, ..ask(party_size) };
        let slots = house.slots(date(day), &ask);
        for slot in &slots {
            // As the constraint sees it: no overlap of half-open periods.
            for busy in &house.busy {
                let overlaps = busy.from < slot.end_time && slot.time < busy.until;
                prop_assert!(!(overlaps && slot.table_ids.contains(&busy.table_id)), "{slot:?} {busy:?}");
            }
            prop_assert!(slot.capacity >= party_size);
            prop_assert_eq!(slot.end_time - slot.time, ask.duration);
            // What is offered is taken when it is asked for by its time.
            prop_assert_eq!(house.check_time(slot.time, &ask), Ok(()));
            let again = house.slot(slot.time, &ask);
            prop_assert_eq!(again.as_ref(), Some(slot));
        }
        prop_assert!(slots.windows(2).all(|pair| pair[0].time < pair[1].time));
    }

    #[test]
    fn what_is_refused_is_not_offered(
        house in any_house(),
        party_size in 1..20_i32,
        duration in 15..400_i64,
        quarter in 0..400_i64,
    ) {
        let ask = Ask { duration: TimeDelta::minutes(duration), ..ask(party_size) };
        let time = utc("2026-03-26T00:00:00Z") + TimeDelta::minutes(15 * quarter);
        let local = time.with_timezone(&house.zone).date_naive();
        let offered = [local.pred_opt().unwrap(), local]
            .into_iter()
            .flat_map(|day| house.slots(day, &ask))
            .any(|slot| slot.time == time);
        let is_refused = house.check_time(time, &ask).is_err() || house.slot(time, &ask).is_none();
        prop_assert!(!(offered && is_refused));
    }
}

//! What is offered, against what the database lets through.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::floor::{availability, holds, reservations};
use domain::{Error, Result};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use wire::floor::availability::{Hold, Slot, TableConflict};
use wire::floor::reservations::Reservation;
use wire::{ErrorCode, TableId};

use crate::house::House;
use crate::sql::Sql;
use crate::tablet::Tablet;

/// A claim to some of a house's tables.
#[derive(Clone, Debug)]
struct Claim {
    tables: BTreeSet<usize>,
    quarter: i64,
    minutes: i32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Booked,
    CalledOff,
    Kept,
    KeptTooLong,
}

/// Two days around the night in which clocks are put forward in Berlin.
const NIGHT: &str = "2026-03-28T12:00:00Z";

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    let kinds = [Kind::Booked, Kind::CalledOff, Kind::Kept, Kind::KeptTooLong];
    let claim = (
        prop::collection::btree_set(0..4_usize, 1..4),
        0..120_i64,
        15..240_i32,
        prop::sample::select(kinds.to_vec()),
    );
    let claim = claim.prop_map(|(tables, quarter, minutes, kind)| Claim {
        tables,
        quarter,
        minutes,
        kind,
    });
    prop::collection::vec(claim, 0..20)
}

async fn book(tablet: &Tablet, input: Value) -> Result<Reservation> {
    let input = serde_json::from_value(input).unwrap();
    let done = tablet
        .write(async |tx| reservations::create(tx, &input).await)
        .await?;
    Ok(done.value)
}

async fn keep(tablet: &Tablet, input: Value) -> Result<Hold> {
    let input = serde_json::from_value(input).unwrap();
    let done = tablet
        .write(async |tx| holds::create(tx, &input).await)
        .await?;
    Ok(done.value)
}

/// What the constraint alone says of a claim to tables, after expired ones were removed. Nothing
/// stays of it.
async fn fits(
    sql: &Sql,
    tablet: &Tablet,
    tables: &[TableId],
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> bool {
    let here = tablet.id();
    let list: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let list = list.join(",");
    let (from, until, now) = (from.to_rfc3339(), until.to_rfc3339(), now.to_rfc3339());
    let claimed = sql
        .try_run(&format!(
            "BEGIN;
             DELETE FROM holds WHERE restaurant_id = '{here}' AND expires_at <= '{now}';
             INSERT INTO holds VALUES
             ('{here}', '{here}', 1, '{from}', 15, '{{{list}}}', '{now}', '{now}');
             INSERT INTO reservation_tables (restaurant_id, table_id, period, hold_id)
             SELECT '{here}', unnest('{{{list}}}'::uuid[]), tstzrange('{from}', '{until}'), '{here}'"
        ))
        .await;
    sql.run("ROLLBACK").await;
    match claimed {
        Ok(()) => true,
        Err(error) => {
            let refused = error.as_db_error().unwrap();
            assert!(
                ["reservation_tables_overlap", "reservation_tables_pkey"]
                    .contains(&refused.constraint().unwrap_or_default()),
                "{refused:?}"
            );
            false
        }
    }
}

async fn slots(
    tablet: &Tablet,
    day: &str,
    size: i32,
    minutes: i32,
    large: bool,
    now: DateTime<Utc>,
) -> Vec<Slot> {
    let query = json!({"date": day, "partySize": size, "duration": minutes, "largeTables": large});
    let query = serde_json::from_value(query).unwrap();
    let here = tablet.id();
    let found = tablet.db.read("test", async |conn| {
        availability::day(conn, here, &query, now).await
    });
    found.await.unwrap().slots
}

/// One house with some claims: every slot that is offered can be had, and what the constraint
/// refuses is not offered.
async fn check(house: &House, sql: &Sql, claims: &[Claim], size: i32, minutes: i32) {
    let tablet = Tablet::of_new_restaurant(house.db(), "Europe/Berlin").await;
    let mut tables = Vec::new();
    for (number, capacity) in [(1, 2), (2, 2), (3, 4), (4, 6)] {
        tables.push(tablet.add_table(&number.to_string(), capacity).await.id);
    }
    let groups =
        json!([{"tableIds": [tables[0], tables[1]]}, {"tableIds": [tables[3], tables[2]]}]);
    tablet
        .change_restaurant(json!({"settings": {"joinableGroups": groups}}))
        .await;
    let night: DateTime<Utc> = NIGHT.parse().unwrap();
    let (old, young): (Vec<_>, Vec<_>) = claims
        .iter()
        .partition(|claim| claim.kind == Kind::KeptTooLong);
    for (n, claim) in old.into_iter().chain(young).enumerate() {
        if claim.kind != Kind::KeptTooLong && n > 0 && house.test.clock.now() < night {
            house.test.clock.advance(TimeDelta::minutes(6));
        }
        let input = json!({
            "guestName": "Ada", "partySize": 1, "durationMinutes": claim.minutes,
            "reservationTime": night + TimeDelta::minutes(15 * claim.quarter),
            "tableIds": claim.tables.iter().map(|n| tables[*n]).collect::<Vec<_>>(),
        });
        let refused = match claim.kind {
            Kind::Kept | Kind::KeptTooLong => keep(&tablet, input).await.err(),
            Kind::Booked => book(&tablet, input).await.err(),
            Kind::CalledOff => match book(&tablet, input).await {
                Ok(made) => {
                    let cancel =
                        tablet.write(async |tx| reservations::cancel(tx, made.id, None).await);
                    cancel.await.err()
                }
                Err(error) => Some(error),
            },
        };
        match refused {
            None => {}
            Some(Error::Refused {
                code: ErrorCode::TableUnavailable,
                details: Some(details),
                ..
            }) => {
                let conflict: TableConflict = details.read().unwrap();
                let taken = conflict.table_id.unwrap();
                let number = tables.iter().position(|table| *table == taken).unwrap();
                assert!(claim.tables.contains(&number), "{conflict:?} for {claim:?}");
            }
            Some(error) => panic!("{error:?} for {claim:?}"),
        }
    }
    let now = house.test.clock.now();
    for day in ["2026-03-28", "2026-03-29"] {
        let offered = slots(&tablet, day, size, minutes, true, now).await;
        for slot in &offered {
            let (from, until) = (slot.time, slot.end_time);
            assert!(
                fits(sql, &tablet, &slot.table_ids, from, until, now).await,
                "offered and refused: {slot:?}"
            );
        }
        let Some(slot) = offered.get(claims.len() % offered.len().max(1)) else {
            continue;
        };
        // What is offered can be booked, and is offered no longer.
        let mut input = json!({
            "guestName": "Bea", "partySize": size, "durationMinutes": minutes,
            "reservationTime": slot.time,
        });
        // A table that is far too large has to be asked for by name.
        let chosen = slots(&tablet, day, size, minutes, false, now).await;
        if !chosen.iter().any(|other| other.time == slot.time) {
            input["tableIds"] = json!(slot.table_ids);
        }
        let made = book(&tablet, input).await.unwrap();
        let time = slot.time;
        assert!(!made.table_ids.is_empty());
        for other in slots(&tablet, day, size, minutes, true, now).await {
            let overlaps = other.time < time + (slot.end_time - slot.time) && time < other.end_time;
            let shares = other
                .table_ids
                .iter()
                .any(|table| made.table_ids.contains(table));
            assert!(!(overlaps && shares), "{other:?} beside {made:?}");
        }
        // A table that the constraint refuses at a time is not offered at that time.
        let after = slots(&tablet, day, size, minutes, true, now).await;
        for quarter in 0..92 {
            let time = offered[0].time + TimeDelta::minutes(15 * quarter);
            let until = time + TimeDelta::minutes(minutes.into());
            for table in &tables {
                if !fits(sql, &tablet, &[*table], time, until, now).await {
                    let is_offered =
                        |slot: &Slot| slot.time == time && slot.table_ids.contains(table);
                    assert!(!after.iter().any(is_offered), "{table} at {time}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_offered_slot_is_refused_and_no_refused_slot_is_offered() {
    let house = House::open().await;
    house.test.clock.advance(TimeDelta::days(7));
    let sql = Sql::beside(&house.test).await;
    let mut runner = TestRunner::new(Config {
        cases: 8,
        failure_persistence: None,
        max_shrink_iters: 30,
        ..Config::default()
    });
    let cases = (claims(), 1..9_i32, 15..240_i32);
    tokio::task::block_in_place(|| {
        runner
            .run(&cases, |(claims, size, minutes)| {
                Handle::current().block_on(check(&house, &sql, &claims, size, minutes));
                Ok(())
            })
            .unwrap();
    });
    house.close().await;
}

/// Joined tables, kept ones and overlapping times, straight at the constraint.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_what_the_program_might_let_through() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await.id,
        house.tablet.add_table("2", 4).await.id,
    );
    let now = house.test.clock.now();
    let time = now + TimeDelta::days(1);
    let ask = |tables: Value| json!({"guestName": "Ada", "partySize": 2, "reservationTime": time, "tableIds": tables});
    book(&house.tablet, ask(json!([one, two]))).await.unwrap();
    let free = async |tables: &[TableId], from: i64, until: i64| {
        let at = |minutes| time + TimeDelta::minutes(minutes);
        fits(&sql, &house.tablet, tables, at(from), at(until), now).await
    };
    assert!(!free(&[two], 89, 120).await);
    assert!(!free(&[one], -60, 1).await);
    assert!(!free(&[one], 10, 20).await);
    assert!(
        free(&[one, two], 90, 120).await,
        "where one time ends, the next begins"
    );
    assert!(free(&[one, two], -60, 0).await);
    assert!(
        !free(&[one, one], 300, 320).await,
        "nobody is beside himself"
    );
    house.close().await;
}

//! Several tablets at once.

use std::time::Duration;

use domain::floor::{guests, tables};
use domain::{Error, Result};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::sync::Notify;
use wire::ErrorCode;
use wire::floor::guests::{Guest, GuestStatus, UpdateGuest};
use wire::floor::tables::Table;

use crate::house::House;
use crate::sql::Sql;
use crate::support::code;
use crate::tablet::Tablet;

#[tokio::test(flavor = "multi_thread")]
async fn two_parties_for_one_table() {
    let house = House::open().await;
    let other = house
        .tablet
        .through(&house.pool(&house.url, 2, Duration::from_secs(10)));
    for round in 0..20 {
        let table = house.tablet.add_table(&round.to_string(), 4).await;
        let (ada, bea) = (
            house.tablet.add_guest("Ada", 2).await,
            house.tablet.add_guest("Bea", 2).await,
        );
        let seats = [&table];
        let (one, two) = tokio::join!(house.tablet.seat(&ada, &seats), other.seat(&bea, &seats));
        let (winner, loser, refused) = match (one, two) {
            (Ok(winner), refused) => (winner, bea, refused),
            (refused, Ok(winner)) => (winner, ada, refused),
            neither => panic!("neither sits: {neither:?}"),
        };
        assert_eq!(code(refused), ErrorCode::TableOccupied);
        let taken = house.tablet.table(table.id).await.unwrap();
        assert_eq!(taken.current_guest_id, Some(winner.id));
        assert_eq!(house.tablet.guest(winner.id).await.unwrap(), winner);
        let waits = house.tablet.guest(loser.id).await.unwrap();
        let moved_up = Guest {
            wait_position: waits.wait_position,
            version: waits.version,
            ..loser
        };
        assert_eq!(waits, moved_up, "as if it had not asked");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_for_a_table_that_is_being_removed() {
    let house = House::open().await;
    let other = house
        .tablet
        .through(&house.pool(&house.url, 2, Duration::from_secs(10)));
    let guest = house.tablet.add_guest("Ada", 2).await;
    for round in 0..10 {
        let table = house.tablet.add_table(&round.to_string(), 4).await;
        let seats = [&table];
        match tokio::join!(
            house.tablet.seat(&guest, &seats),
            other.delete_table(table.id, None)
        ) {
            (
                Ok(_),
                Err(Error::Refused {
                    code: ErrorCode::TableOccupied,
                    ..
                }),
            )
            | (Err(Error::NotFound("table")), Ok(())) => {}
            both => panic!("{both:?}"),
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tables_with_one_number() {
    let house = House::open().await;
    let other = house
        .tablet
        .through(&house.pool(&house.url, 2, Duration::from_secs(10)));
    for round in 0..10 {
        let input = json!({"tableNumber": round.to_string(), "capacity": 4});
        match tokio::join!(
            house.tablet.try_add_table(input.clone()),
            other.try_add_table(input)
        ) {
            (Ok(_), refused) | (refused, Ok(_)) => {
                assert_eq!(code(refused), ErrorCode::TableNumberTaken);
            }
            neither => panic!("{neither:?}"),
        }
    }
    house.close().await;
}

/// Holds a transaction open after `work` until `meanwhile` waits for its locks.
async fn in_the_way<T>(
    house: &House,
    work: impl AsyncFn(&mut domain::db::Tx<'_>) -> Result<T>,
    meanwhile: impl Future<Output = Result<Table>>,
) -> Result<Table> {
    let sql = Sql::beside(&house.test).await;
    let (worked, go_on) = (Notify::new(), Notify::new());
    let holding = house.tablet.write(async |tx| {
        let value = work(tx).await?;
        worked.notify_one();
        go_on.notified().await;
        Ok(value)
    });
    let waiting = async {
        worked.notified().await;
        let (done, ()) = tokio::join!(meanwhile, async {
            sql.until_waiting(1).await;
            go_on.notify_one();
        });
        done
    };
    let (held, done) = tokio::join!(holding, waiting);
    held.unwrap();
    done
}

/// Which tables a party holds is looked up before they can be locked, and may be wrong by then.
#[tokio::test(flavor = "multi_thread")]
async fn clearing_a_table_whose_party_gets_another() {
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    let guest = house.tablet.add_guest("Ada", 2).await;
    house.tablet.seat(&guest, &[&one]).await.unwrap();
    let both = UpdateGuest {
        table_ids: Some(Some(vec![one.id, two.id])),
        ..UpdateGuest::default()
    };
    let joined =
        async |tx: &mut domain::db::Tx<'_>| guests::update(tx, guest.id, &both, None).await;
    in_the_way(&house, joined, house.tablet.clear(one.id))
        .await
        .unwrap();
    let gone = house.tablet.guest(guest.id).await.unwrap();
    assert_eq!(
        (gone.status, gone.table_ids),
        (GuestStatus::Completed, vec![])
    );
    for table in [one.id, two.id] {
        assert_eq!(
            house.tablet.table(table).await.unwrap().current_guest_id,
            None
        );
    }
    house.close().await;
}

/// The table that is cleared has another party by the time it is locked: not that one is meant.
#[tokio::test(flavor = "multi_thread")]
async fn clearing_a_table_that_is_being_cleared() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    house.tablet.seat(&guest, &[&table]).await.unwrap();
    let cleared = async |tx: &mut domain::db::Tx<'_>| tables::clear(tx, table.id).await;
    let again = in_the_way(&house, cleared, house.tablet.clear(table.id))
        .await
        .unwrap();
    assert_eq!(again.version, table.version + 2, "seated and cleared, once");
    house.close().await;
}

/// What one of many busy tablets does next. Rules may refuse it; nothing else may go wrong.
async fn anything(tablet: &Tablet, rng: &mut StdRng, guests: &[Guest], tables: &[Table]) {
    let guest = &guests[rng.random_range(0..guests.len())];
    let (a, b) = (
        rng.random_range(0..tables.len()),
        rng.random_range(0..tables.len()),
    );
    let (one, two) = (&tables[a], &tables[b]);
    let change = async |patch| tablet.try_change_guest(guest.id, patch).await.map(drop);
    let done = match rng.random_range(0..12) {
        0..=2 => tablet.seat(guest, &[one]).await.map(drop),
        3 if a != b => tablet.seat(guest, &[one, two]).await.map(drop),
        4 | 5 => tablet.clear(one.id).await.map(drop),
        6 => change(json!({"status": "completed"})).await,
        7 => change(json!({"status": "waiting"})).await,
        8 => {
            let walk_in = json!({"guestName": "Walk-in", "partySize": 2, "tableId": one.id});
            tablet.try_add_guest(walk_in).await.map(drop)
        }
        9 => {
            let patch = json!({"status": if a > b { "out_of_service" } else { "available" }});
            tablet.change_table(one.id, patch).await.map(drop)
        }
        10 if a == b => tablet.delete_guest(guest.id, None).await,
        _ => change(json!({"partySize": rng.random_range(1..5), "tableId": null})).await,
    };
    match done {
        Ok(()) | Err(Error::Refused { .. } | Error::NotFound("guest")) => {}
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_evening() {
    const TABLETS: u64 = 6;
    const TAPS: usize = 15;
    let house = House::open().await;
    let pools = [(); 2].map(|()| house.pool(&house.url, 3, Duration::from_secs(30)));
    let (mut tables, mut guests) = (Vec::new(), Vec::new());
    for n in 1..=5 {
        tables.push(house.tablet.add_table(&n.to_string(), 4).await);
        guests.push(house.tablet.add_guest(&format!("Party {n}"), 2).await);
        guests.push(house.tablet.add_guest(&format!("Guest {n}"), 4).await);
    }
    join_all((0..TABLETS).map(async |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let tablet = house.tablet.through(&pools[usize::from(seed % 2 == 0)]);
        for _ in 0..TAPS {
            anything(&tablet, &mut rng, &guests, &tables).await;
        }
    }))
    .await;
    house.close().await;
}

//! The epoch: a log that is not the continuation of what clients have heard has another one.

use domain::db::Db;
use futures_util::future::join_all;
use testkit::database::admin_url;
use testkit::wait::DEADLINE;
use wire::Epoch;

use crate::house::House;
use crate::sql::{Sql, url_of};
use crate::support::TestDb;
use crate::tablet::Tablet;

/// One connection, as a worker that has just started opens it.
fn newcomer(house: &House) -> Db {
    house.pool(&house.url, 1, DEADLINE)
}

async fn epoch(tablet: &Tablet) -> Epoch {
    tablet.head().await.epoch
}

/// What another database, or this one after it was rewound, would find recorded.
async fn rewind(sql: &Sql) {
    assert_eq!(
        sql.change("UPDATE database_identity SET identity = 'another'")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_connection_records_which_database_it_is() {
    let test = TestDb::new().await;
    let sql = Sql::beside(&test).await;
    let recorded: String = sql.one("SELECT identity FROM database_identity").await;
    let (system, rest) = recorded.split_once(':').unwrap();
    let expected: String = sql
        .one("SELECT system_identifier::text FROM pg_control_system()")
        .await;
    assert_eq!(system, expected);
    let (timeline, database) = rest.split_once(':').unwrap();
    assert_eq!(timeline.len(), 8, "{recorded}");
    assert_eq!(
        database,
        sql.one::<String>("SELECT oid::text FROM pg_database WHERE datname = current_database()")
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stays_where_the_database_is_the_same() {
    let house = House::open().await;
    let before = epoch(&house.tablet).await;
    let newcomers: Vec<Db> = (0..3).map(|_| newcomer(&house)).collect();
    for db in &newcomers {
        assert_eq!(epoch(&house.tablet.through(db)).await, before);
    }
}

/// Many notice at once, and one of them renews: who came first heard nothing under an epoch that
/// was replaced again.
#[tokio::test(flavor = "multi_thread")]
async fn a_rewound_database_gets_a_new_one_once() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    house.tablet.add_guest("Ada", 2).await;
    let old = [epoch(&house.tablet).await, epoch(&other).await];
    rewind(&Sql::beside(&house.test).await).await;

    let newcomers: Vec<Db> = (0..10).map(|_| newcomer(&house)).collect();
    let seen = join_all(newcomers.iter().map(async |db| {
        (
            epoch(&house.tablet.through(db)).await,
            epoch(&other.through(db)).await,
        )
    }))
    .await;
    let (new, of_other) = seen[0];
    assert!(
        new > old[0] && of_other > old[1],
        "the younger epoch is the greater"
    );
    assert_eq!(seen, [(new, of_other); 10], "renewed once");

    let late = newcomer(&house);
    assert_eq!(
        epoch(&house.tablet.through(&late)).await,
        new,
        "and not again"
    );
    let appended = house
        .tablet
        .write(async |tx| {
            let input =
                serde_json::from_value(serde_json::json!({"guestName": "B", "partySize": 1}))?;
            domain::floor::guests::create(tx, &input).await
        })
        .await
        .unwrap()
        .appended
        .unwrap();
    assert_eq!(appended.epoch, new, "also through a connection of before");
    assert_eq!(appended.position().seq, 2, "numbers go on");
    house.close().await;
}

/// The clocks of two workers may differ by more than the time between two epochs.
#[tokio::test(flavor = "multi_thread")]
async fn is_younger_even_if_the_clock_is_behind() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let from_the_future = "0fffffff-ffff-7fff-bfff-fffffffffff0";
    sql.run(&format!("UPDATE log_heads SET epoch = '{from_the_future}'"))
        .await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let before = epoch(&other).await;
    rewind(&sql).await;
    let db = newcomer(&house);
    assert!(epoch(&house.tablet.through(&db)).await > from_the_future.parse().unwrap());
    assert!(epoch(&other.through(&db)).await > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_database_has_another() {
    let house = House::open().await;
    house.tablet.add_guest("Ada", 2).await;
    let before = house.tablet.head().await;
    // Its name and its end are testkit's; what is in it is a copy of ours.
    let copy = TestDb::new().await;
    let copy_url = url_of(&copy.db).await;
    let (name, ours) = (name_in(&copy_url), name_in(&house.url));
    let admin = Sql::connect(&admin_url()).await;
    admin
        .run(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await;
    // Nobody may be connected to what is copied.
    Sql::connect(&house.url).await.end_all_sessions().await;
    let create = format!("CREATE DATABASE {name} TEMPLATE {ours} STRATEGY FILE_COPY");
    testkit::wait::until("a moment without connections", DEADLINE, async || {
        admin.try_run(&create).await.ok()
    })
    .await;

    let there = house.pool(&copy_url, 1, DEADLINE);
    let copied = house.tablet.through(&there).head().await;
    assert_eq!(
        (copied.last_seq, copied.pruned_seq),
        (before.last_seq, before.pruned_seq)
    );
    assert!(copied.epoch > before.epoch);
    assert_eq!(
        house.tablet.head().await,
        before,
        "the original is what it was"
    );
}

fn name_in(url: &str) -> &str {
    let end = url.find('?').unwrap_or(url.len());
    url[..end].rsplit('/').next().unwrap()
}

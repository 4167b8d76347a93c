//! What the database refuses, whatever the program does.

use tokio_postgres::error::SqlState;

use crate::house::House;
use crate::sql::Sql;
use crate::tablet::Tablet;

async fn refused(sql: &Sql, statement: &str) -> (SqlState, String) {
    let error = sql.try_run(statement).await.unwrap_err();
    let error = error.as_db_error().unwrap();
    (
        error.code().clone(),
        error.constraint().unwrap_or_default().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn two_parties_at_one_table() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let table = house.tablet.add_table("1", 4).await;
    let (first, second) = (
        house.tablet.add_guest("First", 2).await,
        house.tablet.add_guest("Second", 2).await,
    );
    house.tablet.seat(&first, &[&table]).await.unwrap();
    let (state, constraint) = refused(
        &sql,
        &format!(
            "INSERT INTO seatings VALUES ('{}', '{}', '{}', 0)",
            house.id(),
            table.id,
            second.id
        ),
    )
    .await;
    assert_eq!(
        (state, constraint.as_str()),
        (SqlState::UNIQUE_VIOLATION, "seatings_pkey")
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_at_another_restaurants_table() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let other = Tablet::of_new_restaurant(house.db(), "Europe/Berlin").await;
    let (table, guest) = (
        other.add_table("1", 4).await,
        house.tablet.add_guest("Here", 2).await,
    );
    for restaurant in [house.id(), other.id()] {
        let (state, _) = refused(
            &sql,
            &format!(
                "INSERT INTO seatings VALUES ('{restaurant}', '{}', '{}', 0)",
                table.id, guest.id
            ),
        )
        .await;
        assert_eq!(state, SqlState::FOREIGN_KEY_VIOLATION);
    }
    house.close().await;
}

/// A restaurant's rows go with it, whatever points at what.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_restaurant_outlives_it() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let other = Tablet::of_new_restaurant(house.db(), "Europe/Berlin").await;
    other.add_table("1", 2).await;
    let table = house.tablet.add_table("1", 4).await;
    let guest = house.tablet.add_guest("Here", 2).await;
    house.tablet.seat(&guest, &[&table]).await.unwrap();

    let here = house.id();
    assert_eq!(
        sql.change(&format!("DELETE FROM restaurants WHERE id = '{here}'"))
            .await,
        1
    );
    let tables = sql
        .all::<String>(
            "SELECT table_name::text FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'restaurant_id'",
        )
        .await;
    assert!(tables.len() > 4);
    for table in tables {
        let count = format!("SELECT count(*) FROM {table} WHERE restaurant_id = '{here}'");
        assert_eq!(sql.one::<i64>(&count).await, 0, "rows left in {table}");
    }
    assert_eq!(other.head().await.last_seq, 1, "others keep theirs");
}

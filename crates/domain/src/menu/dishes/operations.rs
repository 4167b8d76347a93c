//! What can be done with a dish.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::menu::dishes::{AvailabilityStatus, CreateDish, Dish, UpdateDish};
use wire::{DishId, RestaurantId};

use super::row::DishRow;
use super::rules;
use crate::db::Tx;
use crate::menu::{check_edits, check_most};
use crate::record::{Record, Stored};
use crate::schema::dishes;
use crate::{Error, Result};

/// How many dishes a restaurant has at most. Two that are made at once may go over it by one: it
/// keeps lists that are read as a whole in bounds, nothing else.
pub(in crate::menu) const MOST: i64 = 10_000;

/// One dish.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: DishId,
    now: DateTime<Utc>,
) -> Result<Dish> {
    let row = DishRow::find(conn, restaurant, id).await?;
    row.into_dish(now)
}

/// Adds a dish to the menu.
///
/// # Errors
/// [`Error::Invalid`]; `forbidden` below a manager, `conflict` when there are too many.
pub async fn create(tx: &mut Tx<'_>, input: &CreateDish) -> Result<Dish> {
    check_edits(tx)?;
    let patch = UpdateDish::from(input.clone());
    let mut row = rules::patched(&fresh(tx), &patch, tx.now);
    rules::check(&row, &patch, true).map_err(Error::Invalid)?;
    check_room(tx).await?;
    row.dish_id = *insert_numbers(tx, 1)
        .await?
        .as_slice()
        .first()
        .ok_or_else(|| Error::Internal("the sequence of dishes gave no number".to_owned()))?;
    row.create(tx).await
}

/// Changes a dish: the fields that are present. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `forbidden` for more than whether it
/// is published and can be had below a manager.
pub async fn update(
    tx: &mut Tx<'_>,
    id: DishId,
    patch: &UpdateDish,
    version: Option<i32>,
) -> Result<Dish> {
    if !patch.is_service_only() {
        check_edits(tx)?;
    }
    let row = DishRow::lock(tx, id).await?;
    row.check_version(version, tx.now)?;
    let next = rules::patched(&row, patch, tx.now);
    rules::check(&next, patch, false).map_err(Error::Invalid)?;
    next.save(tx, &row).await
}

/// Publishes a dish that is not, and withdraws one that is. Two at once are two flips: the second
/// waits for the first and flips what that left. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`].
pub async fn toggle(tx: &mut Tx<'_>, id: DishId, version: Option<i32>) -> Result<Dish> {
    let row = DishRow::lock(tx, id).await?;
    row.check_version(version, tx.now)?;
    let next = DishRow {
        is_published: !row.is_published,
        ..row.clone()
    };
    next.save(tx, &row).await
}

/// Takes a dish off the menu for good.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; `forbidden` below a manager.
pub async fn delete(tx: &mut Tx<'_>, id: DishId, version: Option<i32>) -> Result<()> {
    check_edits(tx)?;
    let row = DishRow::lock(tx, id).await?;
    row.check_version(version, tx.now)?;
    row.remove(tx).await
}

/// A dish of which nothing has been said yet.
pub(in crate::menu) fn fresh(tx: &Tx<'_>) -> DishRow {
    DishRow {
        restaurant_id: tx.restaurant_id(),
        dish_id: DishId(0),
        dish_name: String::new(),
        description: None,
        image_url: None,
        price_minor: 0,
        currency: String::new(),
        is_published: false,
        availability: AvailabilityStatus::Available,
        quantity_left: None,
        sold_out_until: None,
        category_id: None,
        modifier_groups: serde_json::json!([]),
        dietary: Vec::new(),
        allergens: Vec::new(),
        station: None,
        preparation_minutes: None,
        position: 0,
        created_at: tx.now,
        last_updated: tx.now,
        version: 1,
    }
}

/// The next numbers for dishes. Taken before the rows are written, so that many can be written in
/// one statement and each still be told which it is.
///
/// One sequence numbers the dishes of all restaurants, because clients of the older dishes' backend
/// name a dish by its number alone (`PATCH /api/dishes/7/toggle`), without saying whose it is. What
/// a house learns by it is about how many dishes the installation has seen, which is no secret; a
/// number leads to nothing of another house, since every query has the restaurant beside it.
pub(in crate::menu) async fn insert_numbers(tx: &mut Tx<'_>, count: i32) -> Result<Vec<DishId>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql_types::BigInt)]
        number: i64,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT nextval(pg_get_serial_sequence('dishes', 'dish_id')) AS number \
         FROM generate_series(1, $1)",
    )
    .bind::<sql_types::Integer, _>(count)
    .get_results(tx.conn)
    .await?;
    Ok(rows.into_iter().map(|row| DishId(row.number)).collect())
}

async fn check_room(tx: &mut Tx<'_>) -> Result<()> {
    let count = count(tx).await?;
    check_most(count + 1, MOST, "dishes")
}

/// How many dishes there are.
pub(in crate::menu) async fn count(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(dishes::table
        .filter(dishes::restaurant_id.eq(tx.restaurant_id()))
        .count()
        .get_result(tx.conn)
        .await?)
}

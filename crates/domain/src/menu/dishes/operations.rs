//! What can be done with a dish.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::live::events::{Action, EventKind};
use wire::menu::dishes::{AvailabilityStatus, CreateDish, Dish, DishStatus, GoneDish, UpdateDish};
use wire::{DishId, ErrorCode, RestaurantId};

use super::row::DishRow;
use super::rules;
use crate::db::{Event, Tx, WholeRow};
use crate::error::broken_constraint;
use crate::menu::check_edits;
use crate::record::check_version;
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
    dishes::table
        .find((restaurant, id))
        .select(DishRow::as_select())
        .first::<DishRow>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("dish"))?
        .into_dish(now)
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
    diesel::insert_into(dishes::table)
        .values(&row)
        .execute(tx.conn)
        .await
        .map_err(unknown_category)?;
    tell_created(tx, row)
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
    let row = lock(tx, id).await?;
    let now = tx.now;
    check_version(version, row.version, || row.clone().into_dish(now).ok())?;
    let next = rules::patched(&row, patch, now);
    rules::check(&next, patch, false).map_err(Error::Invalid)?;
    save(tx, &row, next).await
}

/// Publishes a dish that is not, and withdraws one that is. Two at once are two flips: the second
/// waits for the first and flips what that left. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`].
pub async fn toggle(tx: &mut Tx<'_>, id: DishId, version: Option<i32>) -> Result<Dish> {
    let row = lock(tx, id).await?;
    let now = tx.now;
    check_version(version, row.version, || row.clone().into_dish(now).ok())?;
    let next = DishRow {
        is_published: !row.is_published,
        ..row.clone()
    };
    save(tx, &row, next).await
}

/// Takes a dish off the menu for good.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; `forbidden` below a manager.
pub async fn delete(tx: &mut Tx<'_>, id: DishId, version: Option<i32>) -> Result<()> {
    check_edits(tx)?;
    let row = lock(tx, id).await?;
    let now = tx.now;
    check_version(version, row.version, || row.clone().into_dish(now).ok())?;
    diesel::delete(dishes::table.find((row.restaurant_id, id)))
        .execute(tx.conn)
        .await?;
    let gone = GoneDish {
        dish_id: id,
        version: row.version + 1,
    };
    let before = row.into_dish(now)?;
    let event = Event::new(EventKind::DishDeleted, id, Action::Deleted, &gone).before(&before);
    if !before.is_published {
        return tx.tell(event);
    }
    let status = DishStatus {
        dish_id: id,
        dish_name: before.dish_name.clone(),
        image_url: before.image_url.clone(),
        is_published: false,
    };
    tx.tell(event.public(&status))
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
        updated_at: tx.now,
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

/// Tells of a new dish.
pub(in crate::menu) fn tell_created(tx: &mut Tx<'_>, row: DishRow) -> Result<Dish> {
    let dish = row.into_dish(tx.now)?;
    tell(tx, EventKind::DishCreated, Action::Created, &dish, None)?;
    Ok(dish)
}

/// Tells of a dish that was `before`.
pub(in crate::menu) fn tell_change(
    tx: &mut Tx<'_>,
    before: &DishRow,
    row: DishRow,
) -> Result<Dish> {
    let is_status =
        row.is_published != before.is_published || row.availability() != before.availability();
    let action = if is_status {
        Action::StatusChanged
    } else if row.position != before.position {
        Action::Moved
    } else {
        Action::InfoUpdated
    };
    let dish = row.into_dish(tx.now)?;
    let kind = EventKind::DishUpdated;
    tell(tx, kind, action, &dish, Some(before))?;
    Ok(dish)
}

/// Staff hear of every change; the public only when a dish becomes visible or stops being so.
fn tell(
    tx: &mut Tx<'_>,
    kind: EventKind,
    action: Action,
    dish: &Dish,
    before: Option<&DishRow>,
) -> Result<()> {
    let id = dish.dish_id;
    let status = DishStatus {
        dish_id: id,
        dish_name: dish.dish_name.clone(),
        image_url: dish.image_url.clone(),
        is_published: dish.is_published,
    };
    let was_published = before.is_some_and(|before| before.is_published);
    let is_heard = dish.is_published != was_published;
    let mut event = Event::new(kind, id, action, dish);
    if let Some(before) = before {
        event = event.before(&before.clone().into_dish(tx.now)?);
    }
    if is_heard {
        event = event.public(&status);
    }
    tx.tell(event)
}

/// Writes a changed dish and tells; does nothing where nothing changed.
async fn save(tx: &mut Tx<'_>, row: &DishRow, mut next: DishRow) -> Result<Dish> {
    if next == *row {
        return next.into_dish(tx.now);
    }
    next.version += 1;
    next.updated_at = tx.now;
    next.overwrite(
        tx.conn,
        dishes::table.find((row.restaurant_id, row.dish_id)),
    )
    .await
    .map_err(unknown_category)?;
    tell_change(tx, row, next)
}

async fn lock(tx: &mut Tx<'_>, id: DishId) -> Result<DishRow> {
    dishes::table
        .find((tx.restaurant_id(), id))
        .select(DishRow::as_select())
        .for_update()
        .first(tx.conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("dish"))
}

async fn check_room(tx: &mut Tx<'_>) -> Result<()> {
    let count: i64 = dishes::table
        .filter(dishes::restaurant_id.eq(tx.restaurant_id()))
        .count()
        .get_result(tx.conn)
        .await?;
    if count >= MOST {
        let sentence = format!("A menu has at most {MOST} dishes.");
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    Ok(())
}

fn unknown_category(error: diesel::result::Error) -> Error {
    match broken_constraint(&error) {
        Some("dishes_category_fkey") => {
            Error::invalid("categoryId", "names a category that is not there")
        }
        _ => error.into(),
    }
}

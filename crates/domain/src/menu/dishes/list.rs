//! Lists of dishes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::menu::dishes::{Dish, DishFilter};
use wire::{DishId, RestaurantId};

use super::row::DishRow;
use crate::Result;
use crate::checks::Checks;
use crate::page::{self, Page};
use crate::schema::dishes;

diesel::define_sql_function! {
    /// In small letters.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

diesel::define_sql_function! {
    /// Where a text is found in another, from 1; 0: nowhere.
    fn strpos(text: diesel::sql_types::Text, part: diesel::sql_types::Text) -> diesel::sql_types::Integer;
}

/// The dishes that `filter` asks for, by their numbers.
///
/// # Errors
/// [`crate::Error::Invalid`] for a filter that cannot be read.
pub async fn list(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    filter: &DishFilter,
    now: DateTime<Utc>,
) -> Result<Page<Dish>> {
    let limit = page::limit(filter.limit)?;
    let after = page::after::<DishId>(filter.cursor.as_deref())?;
    let mut checks = Checks::new();
    checks.text("q", filter.q.as_deref(), 0..=100);
    checks.finish()?;
    let mut query = dishes::table
        .filter(dishes::restaurant_id.eq(restaurant))
        .select(DishRow::as_select())
        .order(dishes::dish_id)
        .limit(limit + 1)
        .into_boxed();
    if let Some(category) = filter.category_id {
        query = query.filter(dishes::category_id.eq(category));
    }
    if let Some(is_published) = filter.is_published {
        query = query.filter(dishes::is_published.eq(is_published));
    }
    if let Some(q) = filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
        query = query.filter(strpos(lower(dishes::dish_name), lower(q)).gt(0));
    }
    if let Some(after) = after {
        query = query.filter(dishes::dish_id.gt(after));
    }
    let rows = query.load::<DishRow>(conn).await?;
    let items = rows.into_iter().map(|row| row.into_dish(now));
    page::paged(items.collect::<Result<Vec<_>>>()?, limit, |dish: &Dish| {
        dish.dish_id
    })
}

/// All dishes, by their numbers.
///
/// # Errors
/// When the database is away.
pub async fn all(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    now: DateTime<Utc>,
) -> Result<Vec<Dish>> {
    let rows: Vec<DishRow> = dishes::table
        .filter(dishes::restaurant_id.eq(restaurant))
        .select(DishRow::as_select())
        .order(dishes::dish_id)
        .load(conn)
        .await?;
    rows.into_iter().map(|row| row.into_dish(now)).collect()
}

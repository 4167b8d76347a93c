//! What can be done with a category.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::menu::categories::{Category, CreateCategory, UpdateCategory};
use wire::{CategoryId, FieldError, RestaurantId};

use super::row::CategoryRow;
use crate::checks::{Checks, trim, trimmed};
use crate::clock::new_id;
use crate::db::Tx;
use crate::menu::{check_edits, check_most, windows};
use crate::record::{Record, Stored};
use crate::schema::menu_categories;
use crate::{Error, Result};

/// How many categories a menu has at most.
const MOST: usize = 200;

/// All categories, in their order.
///
/// # Errors
/// When the database is away.
pub async fn list(conn: &mut AsyncPgConnection, restaurant: RestaurantId) -> Result<Vec<Category>> {
    let rows = rows(conn, restaurant).await?;
    rows.into_iter().map(Category::try_from).collect()
}

/// The same as they are stored.
pub(in crate::menu) async fn rows(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
) -> Result<Vec<CategoryRow>> {
    Ok(menu_categories::table
        .filter(menu_categories::restaurant_id.eq(restaurant))
        .select(CategoryRow::as_select())
        .order((menu_categories::position, menu_categories::name))
        .load(conn)
        .await?)
}

/// One category.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    id: CategoryId,
) -> Result<Category> {
    CategoryRow::find(conn, restaurant, id).await?.try_into()
}

/// Adds a category to the menu.
///
/// # Errors
/// [`Error::Invalid`]; `conflict` for a name that is taken or when there are too many, `forbidden`
/// below a manager.
pub async fn create(tx: &mut Tx<'_>, input: &CreateCategory) -> Result<Category> {
    check_edits(tx)?;
    let others = rows(tx.conn, tx.restaurant_id()).await?;
    let patch = UpdateCategory::from(input.clone());
    let row = patched(&fresh(tx, &others), &patch);
    check(&row, &patch, true).map_err(Error::Invalid)?;
    check_room(others.len())?;
    row.create(tx).await
}

/// Changes a category: the fields that are present. With `version`, only if it still has that one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `conflict` for a name that is taken,
/// `forbidden` below a manager.
pub async fn update(
    tx: &mut Tx<'_>,
    id: CategoryId,
    patch: &UpdateCategory,
    version: Option<i32>,
) -> Result<Category> {
    check_edits(tx)?;
    let row = CategoryRow::lock(tx, id).await?;
    row.check_version(version, tx.now)?;
    let next = patched(&row, patch);
    check(&next, patch, false).map_err(Error::Invalid)?;
    next.save(tx, &row).await
}

/// Removes a category that has no dishes.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; `conflict` while it has dishes, `forbidden` below a
/// manager.
pub async fn delete(tx: &mut Tx<'_>, id: CategoryId, version: Option<i32>) -> Result<()> {
    check_edits(tx)?;
    let row = CategoryRow::lock(tx, id).await?;
    row.check_version(version, tx.now)?;
    row.remove(tx).await
}

/// A category of which nothing has been said yet, after all `others`.
pub(in crate::menu) fn fresh(tx: &Tx<'_>, others: &[CategoryRow]) -> CategoryRow {
    let last = others.iter().map(|row| row.position).max();
    CategoryRow {
        restaurant_id: tx.restaurant_id(),
        id: new_id(),
        name: String::new(),
        description: None,
        position: last.map_or(0, |last| (last + 1).min(1_000_000)),
        windows: serde_json::json!([]),
        is_active: true,
        created_at: tx.now,
        last_updated: tx.now,
        version: 1,
    }
}

/// A category after a change.
pub(in crate::menu) fn patched(row: &CategoryRow, patch: &UpdateCategory) -> CategoryRow {
    let mut next = row.clone();
    if let Some(name) = &patch.name {
        trim(name).clone_into(&mut next.name);
    }
    if let Some(description) = &patch.description {
        next.description = trimmed(description.as_deref());
    }
    if let Some(windows) = &patch.windows {
        next.windows = serde_json::json!(windows);
    }
    next.position = patch.position.unwrap_or(row.position);
    next.is_active = patch.is_active.unwrap_or(row.is_active);
    next
}

/// Everything that is wrong with a category.
///
/// # Errors
/// All faults.
pub(in crate::menu) fn check(
    row: &CategoryRow,
    patch: &UpdateCategory,
    is_new: bool,
) -> Result<(), Vec<FieldError>> {
    let mut checks = Checks::new();
    if is_new && patch.name.is_none() {
        checks.fault("name", "is required");
    } else if patch.name.is_some() {
        checks.name("name", Some(&row.name), 1..=100);
    }
    if is_new || patch.description.is_some() {
        checks.text("description", row.description.as_deref(), 1..=2000);
    }
    checks.number("position", Some(row.position), 0..=1_000_000);
    windows::check(&mut checks, patch.windows.as_deref().unwrap_or_default());
    checks.faults()
}

/// All categories in their order, which nobody else changes from here on. A weaker lock than that
/// of one that may be deleted: whoever writes a dish meanwhile holds on to its category.
pub(in crate::menu) async fn lock_all(tx: &mut Tx<'_>) -> Result<Vec<CategoryRow>> {
    let mut rows: Vec<CategoryRow> = menu_categories::table
        .filter(menu_categories::restaurant_id.eq(tx.restaurant_id()))
        .select(CategoryRow::as_select())
        .order(menu_categories::id)
        .for_no_key_update()
        .load(tx.conn)
        .await?;
    rows.sort_by(|a, b| (a.position, &a.name).cmp(&(b.position, &b.name)));
    Ok(rows)
}

/// Refuses one more category than there may be.
pub(in crate::menu) fn check_room(count: usize) -> Result<()> {
    check_most(count + 1, MOST, "categories")
}

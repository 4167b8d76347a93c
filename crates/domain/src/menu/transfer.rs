//! A menu from a file, all of it or nothing, and into one.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::menu::categories::{Category, UpdateCategory};
use wire::menu::dishes::{Dish, UpdateDish};
use wire::menu::transfer::{FileCategory, FileDish, Imported, MenuFile};
use wire::patch::Clearable;
use wire::{CategoryId, DishId, FieldError, RestaurantId};

use super::categories::{self, CategoryRow};
use super::dishes::{self as operations, DishRow};
use super::failed::Failed;
use super::{check_edits, check_most};
use crate::Result;
use crate::checks::trim;
use crate::db::Tx;
use crate::record::{Record, Versioned};
use crate::schema::dishes;

/// Rows that one statement writes: PostgreSQL takes at most 65,535 parameters.
const CHUNK: usize = 1000;

/// A file that has been read, perhaps not every row of it.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// Its categories.
    pub categories: Vec<Row<UpdateCategory>>,
    /// Its dishes.
    pub dishes: Vec<Row<ImportDish>>,
}

/// A row of a file.
#[derive(Clone, Debug)]
pub struct Row<T> {
    /// Its place in its list, from 0.
    pub index: usize,
    /// Its line, from 1, in a file with lines.
    pub line: Option<u64>,
    /// What it says, or why that cannot be read.
    pub fields: Result<T, Vec<FieldError>>,
}

/// What a row says of a dish.
#[derive(Clone, Debug, Default)]
pub struct ImportDish {
    /// Which one; none for one that is to be made.
    pub dish_id: Option<DishId>,
    /// The name of its category.
    pub category: Clearable<String>,
    /// Its fields.
    pub fields: UpdateDish,
}

/// Imports a menu: categories are found by their name, dishes by their number; what is not found
/// is made, except a number that no dish has. Dishes that the file does not name stay as they are.
///
/// # Errors
/// [`crate::Error::Items`] with the first rows that are at fault, and then nothing is changed;
/// `conflict` when there would be too many dishes or categories, `forbidden` below a manager.
pub async fn import(tx: &mut Tx<'_>, file: &Import) -> Result<Imported> {
    check_edits(tx)?;
    let mut failed = Failed::default();
    let mut done = Imported::default();
    let known = categories::lock_all(tx).await?;
    let parts = import_categories(tx, file, known, &mut failed, &mut done).await?;
    let before = lock_dishes(tx, file).await?;
    let (changed, made) = plan(tx, file, &parts, &before, &mut failed, &mut done);
    failed.check(file.categories.len() + file.dishes.len())?;
    let rows = number(tx, changed, made, &mut done).await?;
    write(tx, &rows).await?;
    for row in rows {
        match before.get(&row.dish_id) {
            Some(before) => row.tell_changed(tx, before)?,
            None => row.tell_created(tx)?,
        };
    }
    Ok(done)
}

/// Makes and changes categories. Returns the ids of all, by their names in small letters.
async fn import_categories(
    tx: &mut Tx<'_>,
    file: &Import,
    known: Vec<CategoryRow>,
    failed: &mut Failed,
    done: &mut Imported,
) -> Result<HashMap<String, CategoryId>> {
    let mut rows: Vec<CategoryRow> = known;
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        places.entry(small(&row.name)).or_insert(place);
    }
    let mut named: HashSet<String> = HashSet::new();
    for row in &file.categories {
        let patch = match &row.fields {
            Ok(patch) => patch,
            Err(faults) => {
                failed.push("categories", row, faults.clone());
                continue;
            }
        };
        let name = small(patch.name.as_deref().unwrap_or_default());
        let found = places.get(&name).copied();
        let base = match found.and_then(|index| rows.get(index)) {
            Some(row) => row.clone(),
            None => categories::fresh(tx, &rows),
        };
        let next = categories::patched(&base, patch);
        if let Err(faults) = categories::check(&next, patch, true) {
            failed.push("categories", row, faults);
        } else if !named.insert(name.clone()) {
            let twice = vec![fault("name", "is there twice")];
            failed.push("categories", row, twice);
        } else if let Some(place) = found.and_then(|index| rows.get_mut(index)) {
            done.categories_updated += usize::from(next != base);
            next.clone().save(tx, &base).await?;
            *place = next;
        } else {
            categories::check_room(rows.len())?;
            done.categories_created += 1;
            next.clone().create(tx).await?;
            places.insert(name, rows.len());
            rows.push(next);
        }
    }
    // Those that only dishes name, in the order in which they do.
    for row in &file.dishes {
        let Ok(dish) = &row.fields else { continue };
        let Some(name) = category_of(dish) else {
            continue;
        };
        let key = small(name);
        if places.contains_key(&key) {
            continue;
        }
        let patch = UpdateCategory {
            name: Some(name.to_owned()),
            ..UpdateCategory::default()
        };
        let next = categories::patched(&categories::fresh(tx, &rows), &patch);
        // A name that cannot be is named with the row of the dish.
        if categories::check(&next, &patch, true).is_ok() {
            categories::check_room(rows.len())?;
            done.categories_created += 1;
            next.clone().create(tx).await?;
            places.insert(key, rows.len());
            rows.push(next);
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| (small(&row.name), row.id))
        .collect())
}

/// The dishes that the file names and that are there, by their numbers, which nobody else changes
/// from here on.
async fn lock_dishes(tx: &mut Tx<'_>, file: &Import) -> Result<BTreeMap<DishId, DishRow>> {
    let ids: Vec<DishId> = file
        .dishes
        .iter()
        .filter_map(|row| row.fields.as_ref().ok()?.dish_id)
        .collect();
    let rows: Vec<DishRow> = dishes::table
        .filter(dishes::restaurant_id.eq(tx.restaurant_id()))
        .filter(dishes::dish_id.eq_any(ids))
        .select(DishRow::as_select())
        .order(dishes::dish_id)
        .for_update()
        .load(tx.conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.dish_id, row)).collect())
}

/// Works out what is to be written: dishes that change, and new ones without a number. Notes every
/// row that is at fault.
fn plan(
    tx: &Tx<'_>,
    file: &Import,
    parts: &HashMap<String, CategoryId>,
    before: &BTreeMap<DishId, DishRow>,
    failed: &mut Failed,
    done: &mut Imported,
) -> (Vec<DishRow>, Vec<DishRow>) {
    let (mut changed, mut made) = (Vec::new(), Vec::new());
    let mut named = HashSet::new();
    for row in &file.dishes {
        let dish = match &row.fields {
            Ok(dish) => dish,
            Err(faults) => {
                failed.push("dishes", row, faults.clone());
                continue;
            }
        };
        let known = dish.dish_id.and_then(|id| before.get(&id));
        let mut patch = dish.fields.clone();
        let mut faults = Vec::new();
        patch.category_id = match (&dish.category, category_of(dish)) {
            (None, _) => None,
            (Some(_), None) => Some(None),
            (Some(_), Some(name)) => match parts.get(&small(name)) {
                Some(id) => Some(Some(*id)),
                None => {
                    faults.push(fault("category", "must have between 1 and 100 characters"));
                    None
                }
            },
        };
        match dish.dish_id {
            Some(_) if known.is_none() => {
                faults.push(fault("dishId", "names no dish of this menu"))
            }
            Some(id) if !named.insert(id) => faults.push(fault("dishId", "is there twice")),
            _ => {}
        }
        let base = known.cloned().unwrap_or_else(|| operations::fresh(tx));
        let mut next = operations::patched(&base, &patch, tx.now);
        // Of a number that is not there nothing is known to be missing.
        let is_new = dish.dish_id.is_none();
        if let Err(more) = operations::check(&next, &patch, is_new)
            && (is_new || known.is_some())
        {
            faults.extend(more);
        }
        if !faults.is_empty() {
            failed.push("dishes", row, faults);
        } else if known.is_none() {
            made.push(next);
        } else if next == base {
            done.unchanged += 1;
        } else {
            next.touch(tx.now);
            changed.push(next);
        }
    }
    (changed, made)
}

/// Gives new dishes their numbers.
async fn number(
    tx: &mut Tx<'_>,
    mut rows: Vec<DishRow>,
    made: Vec<DishRow>,
    done: &mut Imported,
) -> Result<Vec<DishRow>> {
    (done.updated, done.created) = (rows.len(), made.len());
    let new = i32::try_from(made.len()).unwrap_or(i32::MAX);
    let count = operations::count(tx).await? + i64::from(new);
    check_most(count, operations::MOST, "dishes")?;
    let numbers = operations::insert_numbers(tx, new).await?;
    rows.extend(
        made.into_iter()
            .zip(numbers)
            .map(|(row, dish_id)| DishRow { dish_id, ..row }),
    );
    Ok(rows)
}

async fn write(tx: &mut Tx<'_>, rows: &[DishRow]) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        diesel::insert_into(dishes::table)
            .values(chunk)
            .on_conflict((dishes::restaurant_id, dishes::dish_id))
            .do_update()
            .set((
                dishes::dish_name.eq(excluded(dishes::dish_name)),
                dishes::description.eq(excluded(dishes::description)),
                dishes::image_url.eq(excluded(dishes::image_url)),
                dishes::price_minor.eq(excluded(dishes::price_minor)),
                dishes::currency.eq(excluded(dishes::currency)),
                dishes::is_published.eq(excluded(dishes::is_published)),
                dishes::availability.eq(excluded(dishes::availability)),
                dishes::quantity_left.eq(excluded(dishes::quantity_left)),
                dishes::sold_out_until.eq(excluded(dishes::sold_out_until)),
                dishes::category_id.eq(excluded(dishes::category_id)),
                dishes::modifier_groups.eq(excluded(dishes::modifier_groups)),
                dishes::dietary.eq(excluded(dishes::dietary)),
                dishes::allergens.eq(excluded(dishes::allergens)),
                dishes::station.eq(excluded(dishes::station)),
                dishes::preparation_minutes.eq(excluded(dishes::preparation_minutes)),
                dishes::position.eq(excluded(dishes::position)),
                dishes::last_updated.eq(excluded(dishes::last_updated)),
                dishes::version.eq(excluded(dishes::version)),
            ))
            .execute(tx.conn)
            .await?;
    }
    Ok(())
}

/// The whole menu, as a file has it.
///
/// # Errors
/// When the database is away.
pub async fn export(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    now: DateTime<Utc>,
) -> Result<MenuFile> {
    let parts = categories::list(conn, restaurant).await?;
    let dishes = operations::all(conn, restaurant, now).await?;
    let names: HashMap<CategoryId, String> = parts
        .iter()
        .map(|part| (part.id, part.name.clone()))
        .collect();
    Ok(MenuFile {
        categories: parts.into_iter().map(file_category).collect(),
        dishes: dishes
            .into_iter()
            .map(|dish| file_dish(dish, &names))
            .collect(),
    })
}

fn file_category(part: Category) -> FileCategory {
    FileCategory {
        name: part.name,
        description: part.description,
        position: part.position,
        windows: part.windows,
        is_active: part.is_active,
    }
}

fn file_dish(dish: Dish, names: &HashMap<CategoryId, String>) -> FileDish {
    FileDish {
        dish_id: Some(dish.dish_id),
        dish_name: dish.dish_name,
        description: dish.description,
        image_url: dish.image_url,
        price_minor: dish.price_minor,
        currency: dish.currency,
        category: dish.category_id.and_then(|id| names.get(&id).cloned()),
        is_published: dish.is_published,
        availability: dish.availability,
        dietary: dish.dietary,
        allergens: dish.allergens,
        station: dish.station,
        preparation_minutes: dish.preparation_minutes,
        position: dish.position,
        modifier_groups: dish.modifier_groups,
    }
}

/// The name of a dish's category; none for an empty one.
fn category_of(dish: &ImportDish) -> Option<&str> {
    let name = dish.category.as_ref()?.as_deref().map(trim)?;
    (!name.is_empty()).then_some(name)
}

fn small(name: &str) -> String {
    trim(name).to_lowercase()
}

fn fault(field: &str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

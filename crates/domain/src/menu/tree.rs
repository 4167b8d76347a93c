//! The whole menu, as a guest reads it.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::menu::dishes::PublicDish;
use wire::menu::tree::{Menu, MenuCategory};
use wire::{CategoryId, Position, RestaurantId};

use super::dishes::DishRow;
use super::{categories, windows};
use crate::schema::{dishes, restaurants};
use crate::{Error, Result, log};

/// What everybody may read of a menu.
#[derive(Clone, Debug)]
pub struct PublicMenu {
    /// In its order.
    pub menu: Menu,
    /// All published dishes by their numbers.
    pub dishes: Vec<PublicDish>,
    /// Where the log stood: everything up to here is in it, and nothing of what came after.
    pub position: Position,
    /// Until when it looks like this if nobody changes anything: a dish may be back, and a window
    /// begins or ends with a minute.
    pub good_until: DateTime<Utc>,
}

/// Reads it. Belongs into a snapshot, so that all of it is of one moment.
///
/// # Errors
/// [`Error::NotFound`] when there is no such restaurant.
pub async fn read(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    now: DateTime<Utc>,
) -> Result<PublicMenu> {
    let position = log::head(conn, restaurant).await?.position();
    let (name, zone) = restaurants::table
        .find(restaurant)
        .select((restaurants::name, restaurants::time_zone))
        .first::<(String, String)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))?;
    let parts = categories::rows(conn, restaurant).await?;
    let rows: Vec<DishRow> = dishes::table
        .filter(dishes::restaurant_id.eq(restaurant))
        .filter(dishes::is_published)
        .select(DishRow::as_select())
        .order(dishes::dish_id)
        .load(conn)
        .await?;
    let good_until = rows
        .iter()
        .filter_map(|row| row.sold_out_until.filter(|until| *until > now))
        .fold(next_minute(now), DateTime::min);

    let mut places: Vec<(i32, PublicDish)> = rows
        .into_iter()
        .map(|row| Ok((row.position, row.into_dish(now)?.into())))
        .collect::<Result<_>>()?;
    let dishes = places.iter().map(|(_, dish)| dish.clone()).collect();
    places.sort_by_key(|(position, dish)| (*position, dish.dish_id));
    let mut by_category: HashMap<Option<CategoryId>, Vec<PublicDish>> = HashMap::new();
    for (_, dish) in places {
        by_category.entry(dish.category_id).or_default().push(dish);
    }
    let uncategorized = by_category.remove(&None).unwrap_or_default();
    let tz = zone.parse().unwrap_or(Tz::UTC);
    let mut served = Vec::new();
    for part in parts.into_iter().filter(|part| part.is_active) {
        let Some(dishes) = by_category.remove(&Some(part.id)) else {
            continue;
        };
        let windows = part.windows()?;
        served.push(MenuCategory {
            id: part.id,
            name: part.name,
            description: part.description,
            is_served_now: windows::is_served(&windows, now, tz),
            windows,
            dishes,
        });
    }
    Ok(PublicMenu {
        menu: Menu {
            restaurant_id: restaurant,
            restaurant_name: name,
            time_zone: zone,
            categories: served,
            uncategorized,
        },
        dishes,
        position,
        good_until,
    })
}

/// Windows are counted in minutes, and offsets of time zones are whole minutes.
fn next_minute(now: DateTime<Utc>) -> DateTime<Utc> {
    let minute = TimeDelta::minutes(1);
    now.duration_trunc(minute).unwrap_or(now) + minute
}

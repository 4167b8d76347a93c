//! Restaurants and their settings.

mod calendar;
mod lock;

pub(crate) use calendar::{Calendar, calendar, calendar_in};
pub(crate) use lock::{lock, try_lock};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use wire::entities::Topic;
use wire::live::events::EventKind;
use wire::rooms::RestaurantSettings;
use wire::settings::{Change, Together};
use wire::venue::restaurants::{Restaurant, UpdateRestaurant};
use wire::{Epoch, ErrorCode, Position, RestaurantId};

use super::day;
use crate::checks::{Checks, trim};
use crate::clock::new_id;
use crate::db::Tx;
use crate::log::Topics;
use crate::record::{Record, Stored, stored};
use crate::schema::{log_heads, restaurants};
use crate::{Error, Result, settings};

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = restaurants, treat_none_as_null = true)]
struct RestaurantRow {
    id: RestaurantId,
    name: String,
    slug: String,
    time_zone: String,
    settings: serde_json::Value,
    created_at: DateTime<Utc>,
    last_updated: DateTime<Utc>,
    version: i32,
}

stored! {
    RestaurantRow in restaurants, "restaurant" by id: RestaurantId, at |_, id| id,
    answers {
        "restaurants_slug_key" => |row| Error::refused(
            ErrorCode::SlugTaken,
            format!("Another restaurant is called {}.", row.slug),
        ),
    }
}

impl Record for RestaurantRow {
    type Row = Self;
    type Shown = Restaurant;

    const UPDATED: EventKind = EventKind::RestaurantUpdated;

    fn shown(self, _now: DateTime<Utc>) -> Result<Restaurant> {
        self.try_into()
    }

    fn public(_: Option<&Restaurant>, after: Option<&Restaurant>) -> Option<impl Serialize> {
        after.map(|restaurant| {
            serde_json::json!({
                "id": restaurant.id,
                "name": restaurant.name,
                "slug": restaurant.slug,
                "timeZone": restaurant.time_zone,
                "version": restaurant.version,
            })
        })
    }
}

impl TryFrom<RestaurantRow> for Restaurant {
    type Error = Error;

    fn try_from(row: RestaurantRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            name: row.name,
            slug: row.slug,
            time_zone: row.time_zone,
            settings: serde_json::from_value(row.settings)?,
            created_at: row.created_at,
            last_updated: row.last_updated,
            version: row.version,
        })
    }
}

/// A restaurant that does not exist yet.
#[derive(Clone, Debug)]
pub struct NewRestaurant {
    /// Its id.
    pub id: RestaurantId,
    /// Its name.
    pub name: String,
    /// Its name in addresses; made from `name` when absent.
    pub slug: Option<String>,
    /// IANA time zone.
    pub time_zone: String,
}

/// One restaurant.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(conn: &mut AsyncPgConnection, id: RestaurantId) -> Result<Restaurant> {
    RestaurantRow::find(conn, id, id).await?.try_into()
}

/// What lists of the floor start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorView {
    /// When the restaurant's present service day began.
    pub service_day_start: DateTime<Utc>,
    /// Where its log stands; what is read after this contains at least as much.
    pub position: Position,
    /// The last event of which anything on the floor may be another since.
    pub changed: Position,
}

/// What lists of the floor are made of: its own things, the restaurant's settings, and the words that
/// are gone when a person is erased.
const ON_THE_FLOOR: [Topic; 3] = [Topic::Venue, Topic::People, Topic::Floor];

/// What lists of the floor start from, in one query.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn floor_view(
    conn: &mut AsyncPgConnection,
    id: RestaurantId,
    now: DateTime<Utc>,
) -> Result<FloorView> {
    let (calendar, log) = restaurants::table
        .inner_join(log_heads::table.on(log_heads::restaurant_id.eq(restaurants::id)))
        .filter(restaurants::id.eq(id))
        .select((calendar::COLUMNS, Topics::as_select()))
        .first::<((String, serde_json::Value), Topics)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))?;
    let Calendar { zone, settings } = calendar::Unread::from(calendar).read()?;
    Ok(FloorView {
        service_day_start: day::start(now, zone, settings.venue.service_day_start_minute),
        position: log.position(),
        changed: log.last_of(&ON_THE_FLOOR),
    })
}

/// Makes a restaurant and its empty log. Runs in a transaction that tells nobody: nobody can be
/// listening yet.
///
/// # Errors
/// [`Error::Invalid`]; `slug_taken` for a slug that was asked for.
pub async fn create(
    conn: &mut AsyncPgConnection,
    new: &NewRestaurant,
    now: DateTime<Utc>,
) -> Result<Restaurant> {
    let mut settings = RestaurantSettings::default();
    settings.venue.service_day_start_minute = 5 * 60;
    let mut row = RestaurantRow {
        id: new.id,
        name: trim(&new.name).to_owned(),
        slug: new.slug.clone().unwrap_or_else(|| slug(&new.name)),
        time_zone: new.time_zone.clone(),
        settings: serde_json::to_value(settings)?,
        created_at: now,
        last_updated: now,
        version: 1,
    };
    check(&row, Some("restaurantName"))?;
    if new.slug.is_none() {
        row.slug = free_slug(conn, row.slug).await?;
    }
    row.insert(conn).await.map_err(|error| match error {
        // Nobody asked for this one: somebody else just took it, and another will do.
        Error::Refused { .. } if new.slug.is_none() => Error::Contended,
        error => error,
    })?;
    diesel::insert_into(log_heads::table)
        .values((
            log_heads::restaurant_id.eq(row.id),
            log_heads::epoch.eq(new_id::<NewEpoch>().0),
        ))
        .execute(conn)
        .await?;
    row.try_into()
}

/// Lets [`new_id`] make epochs too.
struct NewEpoch(Epoch);

impl From<uuid::Uuid> for NewEpoch {
    fn from(id: uuid::Uuid) -> Self {
        Self(Epoch(id))
    }
}

/// Changes a restaurant: the fields that are present. With `version`, only if it still has that
/// one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`]; `slug_taken`.
pub async fn update(
    tx: &mut Tx<'_>,
    patch: &UpdateRestaurant,
    version: Option<i32>,
) -> Result<Restaurant> {
    let id = tx.restaurant_id();
    let row = RestaurantRow::lock(tx, id).await?;
    row.check_version(version, tx.now)?;
    let current: Restaurant = row.clone().try_into()?;
    let mut next = patched(&row, patch, &current.settings)?;
    let asked = check(&next, patch.name.as_ref().map(|_| "name"))?;
    settings::allow(tx, &current.settings, &asked).await?;
    if next == row {
        return Ok(current);
    }
    next.write(tx).await?;
    calendar::forget(tx);
    let restaurant = next.tell_changed(tx, &row)?;
    settings::follow(tx, &current.settings, &restaurant.settings).await?;
    Ok(restaurant)
}

fn patched(
    row: &RestaurantRow,
    patch: &UpdateRestaurant,
    current: &RestaurantSettings,
) -> Result<RestaurantRow> {
    let mut next = row.clone();
    if let Some(name) = &patch.name {
        next.name = trim(name).to_owned();
    }
    if let Some(slug) = &patch.slug {
        next.slug.clone_from(slug);
    }
    if let Some(zone) = &patch.time_zone {
        next.time_zone.clone_from(zone);
    }
    if let Some(change) = &patch.settings {
        let mut settings = current.clone();
        change.make(&mut settings);
        let mut written = serde_json::to_value(settings)?;
        RestaurantSettings::keep_unknown(&row.settings, &mut written);
        next.settings = written;
    }
    Ok(next)
}

/// Checks a restaurant, and returns its settings. `name_field` is where the name came from, if it is
/// new.
fn check(row: &RestaurantRow, name_field: Option<&str>) -> Result<RestaurantSettings> {
    let mut checks = Checks::new();
    if let Some(field) = name_field {
        checks.name(field, Some(&row.name), 1..=120);
    }
    if !is_slug(&row.slug) {
        checks.fault(
            "slug",
            "must be 1–80 small letters and digits, with single dashes between",
        );
    }
    if row.time_zone.parse::<Tz>().is_err() {
        checks.fault(
            "timeZone",
            "must be an IANA time zone, for instance Europe/Berlin",
        );
    }
    let settings: RestaurantSettings = serde_json::from_value(row.settings.clone())?;
    settings::check(&mut checks, &settings);
    checks.finish()?;
    Ok(settings)
}

/// Whether a text is a name in addresses.
fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.len() <= 80 && text.split('-').all(is_word)
}

/// A name in addresses: small letters and digits, everything else one dash. It leaves room for
/// what tells it from another restaurant's.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.chars().take(72).collect::<String>();
    let slug = slug.trim_matches('-');
    if slug.is_empty() {
        "restaurant".to_owned()
    } else {
        slug.to_owned()
    }
}

/// The slug, or one with a random end where another restaurant has it.
async fn free_slug(conn: &mut AsyncPgConnection, slug: String) -> Result<String> {
    let is_taken = diesel::select(diesel::dsl::exists(
        restaurants::table.filter(restaurants::slug.eq(&slug)),
    ))
    .get_result::<bool>(conn)
    .await?;
    Ok(if is_taken {
        format!("{slug}-{:06x}", rand::random_range(0..0x0100_0000))
    } else {
        slug
    })
}

#[cfg(test)]
mod tests {
    use super::{is_slug, slug};

    #[test]
    fn names_become_slugs() {
        for (name, expected) in [
            ("QTable Demo", "qtable-demo"),
            ("  Chez l'Ami — Paris! ", "chez-l-ami-paris"),
            ("寿司", "restaurant"),
        ] {
            assert_eq!(slug(name), expected);
            assert!(is_slug(expected));
        }
    }
}

//! Lists of parties.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::guests::{Guest, GuestFilter, GuestScope, GuestStatus};
use wire::{GuestId, RestaurantId, TableId};

use super::row::{GuestRow, its_tables};
use crate::page::{self, Page};
use crate::schema::{guests, seatings};
use crate::words::words;
use crate::{Result, checks::Checks};

/// The parties that `filter` asks for, in the order in which they were taken down.
///
/// # Errors
/// [`crate::Error::Invalid`] for a filter that cannot be read.
pub async fn list(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    filter: &GuestFilter,
    service_day_start: DateTime<Utc>,
) -> Result<Page<Guest>> {
    let statuses = words::<GuestStatus>("status", filter.status.as_deref())?;
    let limit = page::limit(filter.limit)?;
    let after = page::after::<GuestId>(filter.cursor.as_deref())?;
    let mut checks = Checks::new();
    checks.text("q", filter.q.as_deref(), 0..=100);
    checks.finish()?;

    let mut query = guests::table
        .filter(guests::restaurant_id.eq(restaurant))
        .select((GuestRow::as_select(), its_tables()))
        .order(guests::id)
        .limit(limit + 1)
        .into_boxed();
    let is_here = guests::finished_time.is_null();
    let is_finished_asked = statuses
        .as_ref()
        .is_none_or(|asked| asked.iter().any(|status| status.is_finished()));
    if !is_finished_asked {
        // Says nothing new, but those who are here have an index of their own.
        query = query.filter(is_here);
    } else if filter.scope.unwrap_or(GuestScope::Floor) == GuestScope::Floor {
        let is_on_floor = is_here.or(guests::finished_time.ge(service_day_start));
        // The floor is small, and is to be looked up and sorted. To go through all that there ever
        // were, by id until a page is full, looks cheaper to PostgreSQL: it does not know that the
        // floor's part of a house becomes smaller with the years. So it must not be in that order.
        query = query.filter(is_on_floor).order((is_on_floor, guests::id));
    }
    if let Some(statuses) = statuses {
        query = query.filter(guests::status.eq_any(statuses));
    }
    if let Some(table) = filter.table_id {
        query = query.filter(
            guests::id.eq_any(
                seatings::table
                    .filter(seatings::restaurant_id.eq(restaurant))
                    .filter(seatings::table_id.eq(table))
                    .select(seatings::guest_id),
            ),
        );
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(guests::last_updated.gt(since));
    }
    for word in searched(filter.q.as_deref().unwrap_or_default()) {
        let is_there = guests::search.like(containing(&word));
        query = match number(&word) {
            Some(digits) => query.filter(is_there.or(guests::search.like(containing(&digits)))),
            None => query.filter(is_there),
        };
    }
    if let Some(after) = after {
        query = query.filter(guests::id.gt(after));
    }
    let rows = query.load::<(GuestRow, Vec<TableId>)>(conn).await?;
    let items = rows
        .into_iter()
        .map(|(row, tables)| row.with_tables(tables))
        .collect();
    page::paged(items, limit, |guest: &Guest| guest.id)
}

/// The whole current floor, as [`list`] gives it page by page.
///
/// # Errors
/// When the database is away.
pub async fn floor(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    since: DateTime<Utc>,
) -> Result<Vec<Guest>> {
    let rows = guests::table
        .filter(guests::restaurant_id.eq(restaurant))
        .filter(
            guests::finished_time
                .is_null()
                .or(guests::finished_time.ge(since)),
        )
        .select((GuestRow::as_select(), its_tables()))
        .order(guests::id)
        .load::<(GuestRow, Vec<TableId>)>(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(row, tables)| row.with_tables(tables))
        .collect())
}

/// What must be found of a search: every word; but the groups of a telephone number are one.
fn searched(q: &str) -> Vec<String> {
    let words: Vec<&str> = q.split_whitespace().collect();
    let phrase = words.join(" ");
    if number(&phrase).is_some() {
        vec![phrase]
    } else {
        words.into_iter().map(str::to_owned).collect()
    }
}

/// The digits of what may be a telephone number with something between them: beside the number as
/// it was taken down, the searched text has its digits alone.
fn number(text: &str) -> Option<String> {
    let is_number = text
        .chars()
        .all(|c| c.is_ascii_digit() || "+()-./ ".contains(c));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (is_number && !digits.is_empty() && digits != text).then_some(digits)
}

/// A LIKE pattern for a word anywhere in the searched text, which is in small letters.
fn containing(word: &str) -> String {
    let escaped = word
        .to_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}

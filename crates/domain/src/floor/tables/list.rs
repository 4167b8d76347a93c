//! Lists of tables.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::tables::{Table, TableFilter, TableStatus};
use wire::{GuestId, RestaurantId};

use super::row::TableRow;
use crate::Result;
use crate::checks::Checks;
use crate::page::{self, Page};
use crate::schema::{seatings, tables};
use crate::words::words;

diesel::define_sql_function! {
    /// Characters of a text.
    fn char_length(text: diesel::sql_types::Text) -> diesel::sql_types::Integer;
}

/// The tables that `filter` asks for, by number, shorter numbers first.
///
/// # Errors
/// [`crate::Error::Invalid`] for a filter that cannot be read.
pub async fn list(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    filter: &TableFilter,
) -> Result<Page<Table>> {
    let statuses = words::<TableStatus>("status", filter.status.as_deref())?;
    let limit = page::limit(filter.limit)?;
    let after = page::after::<(i32, String)>(filter.cursor.as_deref())?;
    // PostgreSQL takes no text with a NUL in it.
    let mut checks = Checks::new();
    checks.text("section", filter.section.as_deref(), 0..=60);
    checks.text(
        "cursor",
        after.as_ref().map(|(_, number)| number.as_str()),
        1..=20,
    );
    checks.finish()?;
    let mut query = tables::table
        .left_join(
            seatings::table.on(seatings::restaurant_id
                .eq(tables::restaurant_id)
                .and(seatings::table_id.eq(tables::id))),
        )
        .filter(tables::restaurant_id.eq(restaurant))
        .select((TableRow::as_select(), seatings::guest_id.nullable()))
        .order((char_length(tables::table_number), tables::table_number))
        .limit(limit + 1)
        .into_boxed();
    if let Some(statuses) = statuses {
        query = query.filter(tables::status.eq_any(statuses));
    }
    if let Some(section) = &filter.section {
        query = query.filter(tables::section.eq(section));
    }
    if let Some((length, number)) = after {
        let same_length = char_length(tables::table_number).eq(length);
        query = query.filter(
            char_length(tables::table_number)
                .gt(length)
                .or(same_length.and(tables::table_number.gt(number))),
        );
    }
    let rows = query.load::<(TableRow, Option<GuestId>)>(conn).await?;
    let items = rows
        .into_iter()
        .map(|(row, party)| row.with_party(party))
        .collect();
    page::paged(items, limit, |table: &Table| {
        (
            table.table_number.chars().count(),
            table.table_number.clone(),
        )
    })
}

/// All tables that are on the floor plan, in the same order.
///
/// # Errors
/// When the database is away.
pub async fn floor(conn: &mut AsyncPgConnection, restaurant: RestaurantId) -> Result<Vec<Table>> {
    let rows = tables::table
        .left_join(
            seatings::table.on(seatings::restaurant_id
                .eq(tables::restaurant_id)
                .and(seatings::table_id.eq(tables::id))),
        )
        .filter(tables::restaurant_id.eq(restaurant))
        .filter(tables::is_active)
        .select((TableRow::as_select(), seatings::guest_id.nullable()))
        .order((char_length(tables::table_number), tables::table_number))
        .load::<(TableRow, Option<GuestId>)>(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(row, party)| row.with_party(party))
        .collect())
}

//! How well quoted waits were kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::RestaurantId;
use wire::floor::dashboard::QuoteStats;

use crate::Result;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::BigInt)]
    measured: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Double>)]
    held: Option<f64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Double>)]
    in_range: Option<f64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Double>)]
    median: Option<f64>,
}

/// Of the parties that were seated since a moment and had been told a wait.
///
/// # Errors
/// When the database is away.
pub async fn kept(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    since: DateTime<Utc>,
) -> Result<QuoteStats> {
    let row: Row = diesel::sql_query(
        "SELECT count(*) AS measured, \
         (avg((NOT over_quote)::int) * 100)::float8 AS held, \
         (avg((waited_minutes BETWEEN quoted_low_minutes AND greatest(quoted_high_minutes, 5))::int) \
         * 100)::float8 AS in_range, \
         percentile_cont(0.5) WITHIN GROUP (ORDER BY quote_error_minutes) AS median \
         FROM guests WHERE restaurant_id = $1 AND seated_time >= $2 \
         AND quote_error_minutes IS NOT NULL",
    )
    .bind::<sql_types::Uuid, _>(restaurant)
    .bind::<sql_types::Timestamptz, _>(since)
    .get_result(conn)
    .await?;
    let rounded = |value: Option<f64>| value.map(|value| (value * 10.0).round() / 10.0);
    Ok(QuoteStats {
        measured: row.measured,
        held_percent: rounded(row.held),
        in_range_percent: rounded(row.in_range),
        median_error_minutes: rounded(row.median),
    })
}

//! Forgetting: events older than the retention go in batches, and the head says so.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{RestaurantId, Seq};

use crate::Result;
use crate::schema::{events, log_heads};

/// Removes at most `batch` of one restaurant's events that are older than `before`, up to the first
/// that is not. Must run in a transaction. The restaurant is one that no other worker is pruning. Returns how many events
/// went; 0 when there are none left to go anywhere.
///
/// # Errors
/// When the database is away.
pub async fn prune(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    let Some((restaurant, pruned)) = claim(conn, before).await? else {
        return Ok(0);
    };
    let window = events::table
        .filter(events::restaurant_id.eq(restaurant))
        .filter(events::seq.gt(pruned))
        .filter(events::seq.le(pruned + batch));
    // An event carries the time at which its transaction began and the number of its commit: an
    // old one may stand behind a young one, and then has to wait for it.
    let young = window
        .filter(events::created_at.ge(before))
        .select(diesel::dsl::min(events::seq))
        .first::<Option<Seq>>(conn)
        .await?
        .unwrap_or(Seq::MAX);
    let upto = window
        .filter(events::seq.lt(young))
        .select(diesel::dsl::max(events::seq))
        .first::<Option<Seq>>(conn)
        .await?;
    let Some(upto) = upto else { return Ok(0) };
    diesel::update(log_heads::table.find(restaurant))
        .set(log_heads::pruned_seq.eq(upto))
        .execute(conn)
        .await?;
    Ok(diesel::delete(
        events::table
            .filter(events::restaurant_id.eq(restaurant))
            .filter(events::seq.le(upto)),
    )
    .execute(conn)
    .await?)
}

/// A restaurant whose oldest event is older than `before`, locked against other workers.
async fn claim(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> Result<Option<(RestaurantId, Seq)>> {
    let is_old = events::table
        .filter(events::restaurant_id.eq(log_heads::restaurant_id))
        .filter(events::seq.eq(log_heads::pruned_seq + 1))
        .filter(events::created_at.lt(before));
    Ok(log_heads::table
        .filter(diesel::dsl::exists(is_old))
        .select((log_heads::restaurant_id, log_heads::pruned_seq))
        .for_update()
        .skip_locked()
        .first(conn)
        .await
        .optional()?)
}

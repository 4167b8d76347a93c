//! Forgetting entries that are older than the retention.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::Result;

/// Removes at most `batch` entries from before a moment, of whichever restaurants. Must run in a
/// transaction. Returns how many went.
///
/// # Errors
/// When the database is away.
pub async fn prune(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    diesel::sql_query("SELECT set_config('qtable.audit', 'retention', true)")
        .execute(conn)
        .await?;
    Ok(diesel::sql_query(
        "DELETE FROM audit_entries WHERE (restaurant_id, created_at, seq, n) IN \
         (SELECT restaurant_id, created_at, seq, n FROM audit_entries WHERE created_at < $1 \
         LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(batch)
    .execute(conn)
    .await?)
}

//! What time brings: parties that were told of their table and did not come, orders that nobody
//! accepts, offers that run out.
//!
//! Rows carry the moment at which they are due, and each room registers its own ([`Due`], in
//! `rooms.rs`). Any worker looks for them, claims a restaurant that has some, and lets time pass for
//! a few of its rows in one transaction, with their events. Who finds the restaurant claimed goes on
//! to the next; so there is no leader, and nothing is done twice.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::RestaurantId;

use crate::Result;
use crate::db::Tx;

/// For how many rows of each table time passes in one transaction: so that nobody who works in the
/// restaurant waits for long.
pub const BATCH: i64 = 50;

/// How long it waits for a lock. Whoever holds one for longer keeps a worker's connection, of which
/// there may be few, from all other restaurants; the rows are found again.
const PATIENCE: &str = "1s";

/// Rows of a room that carry the moment at which they are due.
#[async_trait]
pub trait Due: Send + Sync + std::fmt::Debug {
    /// What they are called in logs and metrics.
    fn name(&self) -> &'static str;

    /// The restaurants of rows that are due, those that have been due for longest first, as often as
    /// they have such rows; none of `except`. There are no others when it finds fewer than `rows`.
    ///
    /// # Errors
    /// When the database is away.
    async fn find(
        &self,
        conn: &mut AsyncPgConnection,
        now: DateTime<Utc>,
        except: &[RestaurantId],
        rows: i64,
    ) -> Result<Vec<RestaurantId>>;

    /// Claims what is due in the restaurant, and lets time pass for at most [`BATCH`] rows of each
    /// table; for how many it did, which is none where somebody else has claimed them.
    ///
    /// # Errors
    /// When the database is away.
    async fn pass_time(&self, tx: &mut Tx<'_>) -> Result<usize>;
}

/// At most `most` restaurants that have rows which are due, none of `except`. One that has very many
/// hides no other.
///
/// # Errors
/// When the database is away.
pub async fn find(
    conn: &mut AsyncPgConnection,
    due: &dyn Due,
    now: DateTime<Utc>,
    except: &[RestaurantId],
    most: usize,
) -> Result<Vec<RestaurantId>> {
    // The oldest rows, by the index of what is due, and not the different restaurants among all
    // rows: for those PostgreSQL would go through every row there ever was.
    let rows = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = rows.saturating_mul(BATCH);
    let (mut found, mut passed) = (Vec::new(), except.to_vec());
    let mut seen: HashSet<RestaurantId> = except.iter().copied().collect();
    while found.len() < most {
        let page = due.find(conn, now, &passed, rows).await?;
        let is_last = i64::try_from(page.len()).is_ok_and(|count| count < rows);
        let new = page.into_iter().filter(|one| seen.insert(*one));
        found.extend(new);
        if is_last {
            break;
        }
        passed = seen.iter().copied().collect();
    }
    found.truncate(most);
    Ok(found)
}

/// Lets time pass for what is due in the restaurant, unless somebody else is at it; for how many
/// rows it did.
///
/// # Errors
/// When the database is away, or somebody holds a lock for long.
pub async fn pass_time(tx: &mut Tx<'_>, due: &dyn Due) -> Result<usize> {
    diesel::sql_query(format!("SET LOCAL lock_timeout = '{PATIENCE}'"))
        .execute(tx.conn)
        .await?;
    due.pass_time(tx).await
}

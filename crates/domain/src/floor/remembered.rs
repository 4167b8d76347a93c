//! What clients asked for under an id of theirs, and what they were answered: so that what is sent
//! again, because a reply was lost, is not done again.
//!
//! The primary key is the guard. A request first claims its ids; a copy of it, at whichever
//! worker, waits at the same key until the first is committed, and then finds the answer. When the
//! first is rolled back nothing is left, and the copy does the work.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use sha2::{Digest, Sha256};
use wire::RestaurantId;

use crate::db::Tx;
use crate::schema::client_operations;
use crate::{Error, Result};

/// What the ids count. Each kind has ids of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Transactions of clients.
    Atomic,
    /// Changes that were made offline.
    Sync,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Sync => "sync",
        }
    }
}

/// An id, and what tells its request from another with the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    pub(super) key: String,
    pub(super) fingerprint: [u8; 32],
}

/// What was asked and answered before.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) fingerprint: Vec<u8>,
    pub(super) result: String,
}

#[derive(Insertable)]
#[diesel(table_name = client_operations)]
struct ClaimRow<'r> {
    restaurant_id: RestaurantId,
    kind: &'static str,
    key: &'r str,
    body_hash: &'r [u8],
    created_at: DateTime<Utc>,
}

/// What tells a request from another: a hash of what it says.
///
/// # Errors
/// When it cannot be written as JSON, which does not happen.
pub fn fingerprint(request: &impl Serialize) -> Result<[u8; 32]> {
    Ok(Sha256::digest(serde_json::to_vec(request)?).into())
}

/// Claims ids, before anything else is locked. Returns those that were used before.
pub(super) async fn claim(
    tx: &mut Tx<'_>,
    kind: Kind,
    requests: &[Request],
) -> Result<HashMap<String, Past>> {
    // In one order, so that two copies of a queue wait for each other and not both.
    let mut sorted: Vec<&Request> = requests.iter().collect();
    sorted.sort_unstable();
    sorted.dedup_by(|a, b| a.key == b.key);
    let rows: Vec<ClaimRow<'_>> = sorted
        .iter()
        .map(|request| ClaimRow {
            restaurant_id: tx.restaurant_id(),
            kind: kind.as_str(),
            key: &request.key,
            body_hash: &request.fingerprint,
            created_at: tx.now,
        })
        .collect();
    let claimed: Vec<String> = diesel::insert_into(client_operations::table)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(client_operations::key)
        .get_results(tx.conn)
        .await?;
    if claimed.len() == sorted.len() {
        return Ok(HashMap::new());
    }
    let known: Vec<&str> = sorted
        .iter()
        .map(|request| request.key.as_str())
        .filter(|key| !claimed.iter().any(|claimed| claimed == key))
        .collect();
    let past: HashMap<String, Past> = client_operations::table
        .filter(client_operations::restaurant_id.eq(tx.restaurant_id()))
        .filter(client_operations::kind.eq(kind.as_str()))
        .filter(client_operations::key.eq_any(&known))
        .select((
            client_operations::key,
            client_operations::body_hash,
            client_operations::result.assume_not_null(),
        ))
        .load::<(String, Vec<u8>, String)>(tx.conn)
        .await?
        .into_iter()
        .map(|(key, fingerprint, result)| {
            (
                key,
                Past {
                    fingerprint,
                    result,
                },
            )
        })
        .collect();
    if past.len() == known.len() {
        Ok(past)
    } else {
        // Forgotten between the two statements.
        Err(Error::Contended)
    }
}

/// Keeps the answers of claimed ids.
pub(super) async fn keep(
    tx: &mut Tx<'_>,
    kind: Kind,
    answers: Vec<(String, String)>,
) -> Result<()> {
    let (keys, results): (Vec<String>, Vec<String>) = answers.into_iter().unzip();
    diesel::sql_query(
        "UPDATE client_operations AS known SET result = answer.result \
         FROM unnest($3, $4) AS answer (key, result) \
         WHERE known.restaurant_id = $1 AND known.kind = $2 AND known.key = answer.key",
    )
    .bind::<sql_types::Uuid, _>(tx.restaurant_id())
    .bind::<sql_types::Text, _>(kind.as_str())
    .bind::<sql_types::Array<sql_types::Text>, _>(keys)
    .bind::<sql_types::Array<sql_types::Text>, _>(results)
    .execute(tx.conn)
    .await?;
    Ok(())
}

/// Forgets at most `batch` answers from before a moment. Returns how many went.
///
/// # Errors
/// When the database is away.
pub async fn forget_answers(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    Ok(diesel::sql_query(
        "DELETE FROM client_operations WHERE (restaurant_id, kind, key) IN \
         (SELECT restaurant_id, kind, key FROM client_operations WHERE created_at < $1 \
         LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<sql_types::Timestamptz, _>(before)
    .bind::<sql_types::BigInt, _>(batch)
    .execute(conn)
    .await?)
}

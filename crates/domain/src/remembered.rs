//! What clients asked for under an id of theirs, and what they were answered: so that what is sent
//! again, because a reply was lost, is not done again.
//!
//! The primary key is the guard. A request first claims its ids; a copy of it, at whichever
//! worker, waits at the same key until the first is committed, and then finds the answer. When the
//! first is rolled back nothing is left, and the copy does the work: so is what was refused, and
//! what was under way when a worker died.
//!
//! [`Once`], which any request may be, does not wait: a client in trouble sends many copies, and
//! each would keep a connection waiting. An advisory lock tells it that the first is under way.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{ErrorCode, RestaurantId};

use crate::db::Tx;
use crate::schema::client_operations;
use crate::{Error, Result};

/// What the ids count. Each kind has ids of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Transactions of clients.
    Atomic,
    /// Requests with a key.
    Http,
    /// Changes that were made offline.
    Sync,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Http => "http",
            Self::Sync => "sync",
        }
    }
}

/// A request that is to be done once, however often it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// Tells it from all others: a hash of who asks for what under which key.
    pub key: [u8; 32],
    /// Tells another request under the same key: a hash of what it says.
    pub body: [u8; 32],
}

impl Once {
    fn request(&self) -> Request {
        Request {
            key: self.key.iter().map(|byte| format!("{byte:02x}")).collect(),
            fingerprint: self.body,
        }
    }

    /// What is locked while it is being done.
    fn lock(&self) -> i64 {
        let (first, _) = self.key.split_first_chunk().unwrap_or((&[0; 8], &[]));
        i64::from_be_bytes(*first)
    }
}

/// An id, and what tells its request from another with the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) key: String,
    pub(crate) fingerprint: [u8; 32],
}

/// What was asked and answered before.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) result: String,
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

diesel::define_sql_function! {
    /// False when another transaction has it.
    fn pg_try_advisory_xact_lock(key: sql_types::BigInt) -> sql_types::Bool;
}

/// Claims a request, before anything else is locked. Returns what it was answered before.
///
/// # Errors
/// `in_progress` while another transaction does it; [`Error::Invalid`] when the key was used for
/// another request.
pub(crate) async fn claim_once(tx: &mut Tx<'_>, once: &Once) -> Result<Option<String>> {
    // In a statement of its own: the next one sees what was committed before the lock was free.
    let is_free = diesel::select(pg_try_advisory_xact_lock(once.lock()))
        .get_result::<bool>(tx.conn)
        .await?;
    if !is_free {
        let sentence = "This request is being answered already. Please ask again in a moment.";
        return Err(Error::refused(ErrorCode::InProgress, sentence));
    }
    let past = claim(tx, Kind::Http, &[once.request()]).await?;
    past.into_values()
        .next()
        .map_or(Ok(None), |past| same(past, once).map(Some))
}

/// Keeps the answer of a claimed request.
pub(crate) async fn keep_once(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    once: &Once,
    answer: String,
) -> Result<()> {
    let known = (restaurant, Kind::Http.as_str(), once.request().key);
    diesel::update(client_operations::table.find(known))
        .set(client_operations::result.eq(answer))
        .execute(conn)
        .await?;
    Ok(())
}

/// What a request was answered before, for whoever does it in several transactions.
///
/// # Errors
/// [`Error::Invalid`] when the key was used for another request.
pub async fn answer_of(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    once: &Once,
) -> Result<Option<String>> {
    let key = once.request().key;
    let past = answers(conn, restaurant, Kind::Http, &[&key]).await?;
    past.into_values()
        .next()
        .map_or(Ok(None), |past| same(past, once).map(Some))
}

fn same(past: Past, once: &Once) -> Result<String> {
    if past.fingerprint == once.body {
        return Ok(past.result);
    }
    let message = "was used for another request";
    Err(Error::invalid("Idempotency-Key", message))
}

/// Claims ids, before anything else is locked. Returns those that were used before.
pub(crate) async fn claim(
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
    let past = answers(tx.conn, tx.restaurant_id(), kind, &known).await?;
    if past.len() == known.len() {
        Ok(past)
    } else {
        // Forgotten between the two statements.
        Err(Error::Contended)
    }
}

/// What was answered before under some ids.
async fn answers(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    kind: Kind,
    keys: &[&str],
) -> Result<HashMap<String, Past>> {
    let rows = client_operations::table
        .filter(client_operations::restaurant_id.eq(restaurant))
        .filter(client_operations::kind.eq(kind.as_str()))
        .filter(client_operations::key.eq_any(keys))
        .select((
            client_operations::key,
            client_operations::body_hash,
            client_operations::result.assume_not_null(),
        ))
        .load::<(String, Vec<u8>, String)>(conn)
        .await?;
    let past = |fingerprint, result| Past {
        fingerprint,
        result,
    };
    Ok(rows
        .into_iter()
        .map(|(key, fingerprint, result)| (key, past(fingerprint, result)))
        .collect())
}

/// Keeps the answers of claimed ids.
pub(crate) async fn keep(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    kind: Kind,
    answers: Vec<(String, String)>,
) -> Result<()> {
    let (keys, results): (Vec<String>, Vec<String>) = answers.into_iter().unzip();
    diesel::sql_query(
        "UPDATE client_operations AS known SET result = answer.result \
         FROM unnest($3, $4) AS answer (key, result) \
         WHERE known.restaurant_id = $1 AND known.kind = $2 AND known.key = answer.key",
    )
    .bind::<sql_types::Uuid, _>(restaurant)
    .bind::<sql_types::Text, _>(kind.as_str())
    .bind::<sql_types::Array<sql_types::Text>, _>(keys)
    .bind::<sql_types::Array<sql_types::Text>, _>(results)
    .execute(conn)
    .await?;
    Ok(())
}

/// How long a client may send something again and get the first answer: a transaction or a queue,
/// which may have waited in a tablet's pocket, and a request.
const KEEP: TimeDelta = TimeDelta::days(7);
const KEEP_HTTP: TimeDelta = TimeDelta::hours(24);

/// Forgets at most `batch` answers that were kept for long enough. Returns how many went.
///
/// # Errors
/// When the database is away.
pub async fn forget_answers(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    Ok(diesel::sql_query(
        "DELETE FROM client_operations WHERE (restaurant_id, kind, key) IN \
         (SELECT restaurant_id, kind, key FROM client_operations \
         WHERE (kind = 'http' AND created_at < $1) \
         OR (kind IN ('atomic', 'sync') AND created_at < $2) \
         LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<sql_types::Timestamptz, _>(now - KEEP_HTTP)
    .bind::<sql_types::Timestamptz, _>(now - KEEP)
    .bind::<sql_types::BigInt, _>(batch)
    .execute(conn)
    .await?)
}

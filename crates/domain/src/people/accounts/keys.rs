//! Keys for the addresses of accounts that have none yet.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::UserId;

use crate::Result;
use crate::address;
use crate::schema::users;

/// What came of a part of the accounts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The last that was looked at; `None` when there was none.
    pub last: Option<UserId>,
    /// How many have a key now.
    pub keyed: usize,
    /// Those that get none: their address is none by the rules of [`address`], or is one that an
    /// older account has. They log in by the address exactly as it was typed.
    pub without: Vec<UserId>,
}

/// Gives at most `batch` accounts after `after` the key of their address; older accounts come
/// first. Workers of the release before make accounts without one, so this is to be repeated. Must
/// run in a transaction.
///
/// # Errors
/// When the database is away, or somebody took one of the addresses in this moment: later it works.
pub async fn fill_keys(
    conn: &mut AsyncPgConnection,
    after: Option<UserId>,
    batch: i64,
) -> Result<Filled> {
    // Ids are of the seventh version: in the order of time.
    let after = after.unwrap_or(UserId(Uuid::nil()));
    let found: Vec<(UserId, String)> = users::table
        .filter(users::email_key.is_null())
        .filter(users::id.gt(after))
        .order(users::id)
        .select((users::id, users::email))
        .limit(batch)
        .for_no_key_update()
        .skip_locked()
        .load(conn)
        .await?;
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    let mut taken = BTreeSet::new();
    for (id, email) in &found {
        if let Some(key) = address::key(email)
            && taken.insert(key.clone())
        {
            ids.push(*id);
            keys.push(key);
        }
    }
    let keyed = keyed(conn, &ids, &keys).await?;
    Ok(Filled {
        last: found.last().map(|(id, _)| *id),
        keyed: keyed.len(),
        without: found
            .into_iter()
            .map(|(id, _)| id)
            .filter(|id| !keyed.contains(id))
            .collect(),
    })
}

/// Writes keys that nobody has; says whose they are.
async fn keyed(
    conn: &mut AsyncPgConnection,
    ids: &[UserId],
    keys: &[String],
) -> Result<BTreeSet<UserId>> {
    #[derive(QueryableByName)]
    struct Keyed {
        #[diesel(sql_type = SqlUuid)]
        id: UserId,
    }
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let keyed: Vec<Keyed> = diesel::sql_query(
        "UPDATE users SET email_key = given.key FROM unnest($1, $2) AS given (id, key) \
         WHERE users.id = given.id \
         AND NOT EXISTS (SELECT FROM users AS other WHERE other.email_key = given.key) \
         RETURNING users.id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(keys)
    .load(conn)
    .await?;
    Ok(keyed.into_iter().map(|one| one.id).collect())
}

//! Which account an address belongs to.
//!
//! By [`address::key`], which the database stores. Accounts that were made before the program
//! stored keys, or by a worker of the release before, have none until [`super::fill_keys`] has come
//! to them; and some never get one: those whose address is none by today's rules, or is one that an
//! older account has in another spelling. They are found by their address exactly as it was typed,
//! so nobody is locked out, and nobody gets somebody else's account by spelling it differently.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::UserId;

use crate::Result;
use crate::address;
use crate::checks::trim;
use crate::schema::users;

diesel::define_sql_function! {
    /// By which addresses without a key are found in an index. It decides nothing.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// What is compared with an address that was typed.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Candidate {
    id: UserId,
    email: String,
    email_key: Option<String>,
    created_at: DateTime<Utc>,
}

/// How well an account fits an address; the first is the best.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It has no key, and was typed like this.
    Exactly,
    /// It has the key.
    ByKey,
    /// It will get the key.
    Unfilled,
}

/// The account of an address.
///
/// # Errors
/// When the database is away.
pub(in crate::people) async fn find(
    conn: &mut AsyncPgConnection,
    typed: &str,
) -> Result<Option<UserId>> {
    let typed = trim(typed);
    // What a text of the database cannot hold is nobody's address, and neither is what is longer.
    if typed.contains('\0') || typed.chars().count() > 254 {
        return Ok(None);
    }
    let key = address::key(typed);
    // Addresses that have one key are mostly written alike; the rest is decided below.
    let old = users::email_key
        .is_null()
        .and(lower(users::email).eq(lower(typed)));
    let found: Vec<Candidate> = users::table
        .filter(users::email_key.eq(key.as_deref()).or(old))
        .select(Candidate::as_select())
        .load(conn)
        .await?;
    Ok(found
        .into_iter()
        .filter_map(|one| Some((one.fit(typed, key.as_deref())?, one.created_at, one.id)))
        .min()
        .map(|(_, _, id)| id))
}

impl Candidate {
    fn fit(&self, typed: &str, key: Option<&str>) -> Option<Fit> {
        match &self.email_key {
            Some(known) => (Some(known.as_str()) == key).then_some(Fit::ByKey),
            None if self.email == typed => Some(Fit::Exactly),
            None => (key.is_some() && address::key(&self.email).as_deref() == key)
                .then_some(Fit::Unfilled),
        }
    }
}

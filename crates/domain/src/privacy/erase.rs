//! Erasing a person.

use std::collections::BTreeSet;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;
use wire::live::events::{Action, EventKind};
use wire::privacy::{Erased, Erasure, PersonQuery};

use super::find::{Facts, find};
use super::person::Person;
use super::places::{Holds, places};
use super::redact::redacted;
use crate::clock::new_id;
use crate::db::{Event, Tx};
use crate::{Error, Result, log, rooms};

/// Takes the values of a person out of everything that is kept: the rows, the log, the audit, the
/// remembered answers. Workers hear of it by its event, which comes first, and drop what they hold.
///
/// Whoever writes about the same party at the same time meets this at the party's row or at the
/// log's head: what is committed before the erasure is erased by it, and what is written after it
/// has no values but new ones. When nothing is found nothing is changed, told or audited.
///
/// # Errors
/// [`Error::Invalid`] for nobody in particular.
pub async fn erase(tx: &mut Tx<'_>, query: &PersonQuery) -> Result<Erasure> {
    let person = Person::read(query)?;
    let restaurant = tx.restaurant_id();
    // The long look is taken without a lock, and what came meanwhile is looked at under all of
    // them: a party that is new by then is locked too late, so all begins anew.
    let seen = log::head(tx.conn, restaurant).await?.last_seq;
    let mut facts = Facts::default();
    let ids = find(tx.conn, restaurant, &person, 0, &mut facts).await?;
    if ids.is_empty() {
        return Ok(Erasure::default());
    }
    let entity_ids: Vec<Uuid> = ids.iter().copied().collect();
    let mut locked = Vec::new();
    for things in rooms::OF_PEOPLE {
        locked.push(things.lock(tx, &entity_ids).await?);
    }
    log::lock_head(tx.conn, restaurant).await?;
    if find(tx.conn, restaurant, &person, seen, &mut facts).await? != ids {
        return Err(Error::Contended);
    }
    let mut erasure = Erasure {
        id: Some(new_id::<Uuid>()),
        erased: Erased::default(),
        entity_ids,
    };
    // Told before the events of what it changes, and once more when it is known how much that was:
    // the place is that of the first time.
    tell(tx, &erasure)?;
    for things in locked {
        things.erase(tx, &mut erasure.erased).await?;
    }
    documents(tx, &ids, &mut erasure.erased).await?;
    tell(tx, &erasure)?;
    Ok(erasure)
}

fn tell(tx: &mut Tx<'_>, erasure: &Erasure) -> Result<()> {
    let id = erasure.id.unwrap_or_default();
    tx.tell(Event::new(
        EventKind::PersonErased,
        id,
        Action::Erased,
        erasure,
    ))
}

/// Erases in everything that is a document.
async fn documents(tx: &mut Tx<'_>, ids: &BTreeSet<Uuid>, erased: &mut Erased) -> Result<()> {
    // What the database lets only an erasure do to the audit.
    diesel::sql_query("SELECT set_config('qtable.audit', 'erasure', true)")
        .execute(tx.conn)
        .await?;
    for place in places() {
        let Some((columns, holds)) = place.documents() else {
            continue;
        };
        let count = rewrite(tx, place.table, &columns, holds, ids).await?;
        match holds {
            Holds::Frame => erased.events += count,
            Holds::Fields => erased.audit_entries += count,
            _ => erased.answers += count,
        }
    }
    diesel::sql_query("SELECT set_config('qtable.audit', '', true)")
        .execute(tx.conn)
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    texts: Vec<Option<String>>,
}

/// Rewrites the rows of a table whose columns have values. Returns how many those were.
async fn rewrite(
    tx: &mut Tx<'_>,
    table: &str,
    columns: &[&str],
    holds: Holds,
    ids: &BTreeSet<Uuid>,
) -> Result<usize> {
    let texts: Vec<String> = columns.iter().map(|c| format!("{c}::text")).collect();
    let which = if holds == Holds::Document {
        let mentions: Vec<String> = texts
            .iter()
            .map(|text| format!("{text} LIKE ANY (SELECT '%' || id || '%' FROM unnest($2) AS id)"))
            .collect();
        mentions.join(" OR ")
    } else {
        "entity_id = ANY($2)".to_owned()
    };
    let query = format!(
        "SELECT ctid::text AS place, ARRAY[{}] AS texts FROM {table} \
         WHERE restaurant_id = $1 AND ({which}) FOR UPDATE",
        texts.join(", ")
    );
    let rows = diesel::sql_query(query)
        .bind::<SqlUuid, _>(tx.restaurant_id())
        .bind::<Array<SqlUuid>, _>(ids.iter().copied().collect::<Vec<_>>())
        .load::<Row>(tx.conn)
        .await?;
    let mut places = Vec::new();
    let mut written: Vec<Vec<Option<String>>> = vec![Vec::new(); columns.len()];
    for row in rows {
        let mut is_changed = false;
        let mut texts = Vec::with_capacity(columns.len());
        for text in row.texts {
            let without = match &text {
                Some(text) => redacted(holds, text, ids)?,
                None => None,
            };
            is_changed |= without.is_some();
            texts.push(without.or(text));
        }
        if is_changed {
            places.push(row.place);
            written
                .iter_mut()
                .zip(texts)
                .for_each(|(column, text)| column.push(text));
        }
    }
    if places.is_empty() {
        return Ok(0);
    }
    save(tx, table, columns, holds, places, written).await
}

/// Writes the columns of rows, which are locked: so nobody can have moved them from their places.
async fn save(
    tx: &mut Tx<'_>,
    table: &str,
    columns: &[&str],
    holds: Holds,
    places: Vec<String>,
    written: Vec<Vec<Option<String>>>,
) -> Result<usize> {
    let kind = if holds == Holds::Fields {
        "jsonb"
    } else {
        "text"
    };
    let sets: Vec<String> = columns
        .iter()
        .map(|column| format!("{column} = new.{column}::{kind}"))
        .collect();
    let arrays: Vec<String> = (3..).take(columns.len()).map(|n| format!("${n}")).collect();
    let query = format!(
        "UPDATE {table} AS known SET {} FROM unnest($2, {}) AS new (place, {}) \
         WHERE known.restaurant_id = $1 AND known.ctid = new.place::tid",
        sets.join(", "),
        arrays.join(", "),
        columns.join(", ")
    );
    let mut update = diesel::sql_query(query)
        .into_boxed::<Pg>()
        .bind::<SqlUuid, _>(tx.restaurant_id())
        .bind::<Array<Text>, _>(places);
    for column in written {
        update = update.bind::<Array<Nullable<Text>>, _>(column);
    }
    Ok(update.execute(tx.conn).await?)
}

//! Handing out everything about a person.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wire::RestaurantId;
use wire::audit::{AuditEntity, AuditEntry};
use wire::live::events::Action;
use wire::privacy::{PersonExport, PersonQuery};

use super::find::{Facts, find};
use super::person::Person;
use super::places::{Holds, places};
use super::redact::parts;
use super::things::Asked;
use crate::audit::{Entry, EntryRow, actor_names};
use crate::clock::new_id;
use crate::db::Tx;
use crate::schema::{audit_entries, events};
use crate::{Result, log, rooms};

/// Everything that is kept about a person. Must run in [`crate::db::Db::snapshot`], so that every
/// part is of the same moment.
///
/// # Errors
/// [`crate::Error::Invalid`] for nobody in particular.
pub async fn export(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    query: &PersonQuery,
    now: DateTime<Utc>,
) -> Result<PersonExport> {
    let person = Person::read(query)?;
    let head = log::head(conn, restaurant).await?;
    let ids = find(conn, restaurant, &person, 0, &mut Facts::default()).await?;
    let known: Vec<Uuid> = ids.iter().copied().collect();
    let asked = Asked {
        restaurant,
        ids: &known,
        now,
    };
    let mut export = PersonExport::new(new_id(), now, head.epoch, head.last_seq);
    for things in rooms::OF_PEOPLE {
        things.export(conn, asked, &mut export).await?;
    }
    export.events = frames(conn, restaurant, &known).await?;
    export.audit = entries(conn, restaurant, &known).await?;
    export.answers = answers(conn, restaurant, &ids).await?;
    Ok(export)
}

/// Notes in the audit that data were handed out, and whose as far as ids tell. To be done before
/// they are.
///
/// # Errors
/// When it cannot be written as JSON, which does not happen.
pub fn note_export(tx: &mut Tx<'_>, export: &PersonExport) -> Result<()> {
    let mut after = Map::from_iter([
        ("seq".to_owned(), json!(export.seq)),
        ("events".to_owned(), json!(export.events.len())),
        ("auditEntries".to_owned(), json!(export.audit.len())),
        ("answers".to_owned(), json!(export.answers.len())),
    ]);
    for (name, ids) in export.ids() {
        after.insert(name.to_owned(), json!(ids));
    }
    tx.audit(Entry {
        entity: AuditEntity::Person,
        entity_id: export.id,
        action: Action::Exported,
        before: None,
        after: Some(Value::Object(after).to_string()),
    });
    Ok(())
}

async fn frames(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<Value>> {
    let frames = events::table
        .filter(events::restaurant_id.eq(restaurant))
        .filter(events::entity_id.eq_any(ids))
        .order(events::seq)
        .select(events::frame)
        .load::<String>(conn)
        .await?;
    let frames = frames.iter().map(|frame| Ok(serde_json::from_str(frame)?));
    frames.collect()
}

async fn entries(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &[Uuid],
) -> Result<Vec<AuditEntry>> {
    let rows = audit_entries::table
        .filter(audit_entries::restaurant_id.eq(restaurant))
        .filter(audit_entries::entity_id.eq_any(ids))
        .order((
            audit_entries::created_at,
            audit_entries::seq,
            audit_entries::n,
        ))
        .select(EntryRow::as_select())
        .load::<EntryRow>(conn)
        .await?;
    let names = actor_names(conn, rows.iter().filter_map(|row| row.actor_id)).await?;
    Ok(rows.into_iter().map(|row| row.with_names(&names)).collect())
}

/// The parts of remembered answers that are about the person, and nobody else's.
async fn answers(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    ids: &BTreeSet<Uuid>,
) -> Result<Vec<Value>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let mut found = Vec::new();
    for place in places() {
        let Some((columns, Holds::Document)) = place.documents() else {
            continue;
        };
        for column in columns {
            let query = format!(
                "SELECT {column}::text AS text FROM {} WHERE restaurant_id = $1 AND \
                 {column}::text LIKE ANY (SELECT '%' || id || '%' FROM unnest($2) AS id) \
                 ORDER BY created_at",
                place.table
            );
            let rows = diesel::sql_query(query)
                .bind::<SqlUuid, _>(restaurant)
                .bind::<Array<SqlUuid>, _>(ids.iter().copied().collect::<Vec<_>>())
                .load::<Row>(conn)
                .await?;
            for row in rows {
                parts(&serde_json::from_str(&row.text)?, ids, &mut found);
            }
        }
    }
    Ok(found)
}

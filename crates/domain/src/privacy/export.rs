//! Handing out everything about a person.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::RestaurantId;
use wire::audit::{AuditEntity, AuditEntry};
use wire::live::events::Action;
use wire::privacy::{PersonExport, PersonQuery};

use super::find::{Facts, find};
use super::person::Person;
use super::places::{Holds, PLACES};
use super::redact::parts;
use crate::audit::{Entry, EntryRow, actor_names};
use crate::clock::new_id;
use crate::db::Tx;
use crate::floor::{guests, reservations};
use crate::people::invitations;
use crate::schema::{audit_entries, events};
use crate::{Result, log};

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
    Ok(PersonExport {
        id: new_id::<Uuid>(),
        exported_at: now,
        epoch: head.epoch,
        seq: head.last_seq,
        guests: guests::some(conn, restaurant, &known).await?,
        reservations: reservations::some(conn, restaurant, &known).await?,
        invitations: invitations::some(conn, now, restaurant, &known).await?,
        events: frames(conn, restaurant, &known).await?,
        audit: entries(conn, restaurant, &known).await?,
        answers: answers(conn, restaurant, &ids).await?,
    })
}

/// Notes in the audit that data were handed out, and whose as far as ids tell. To be done before
/// they are.
///
/// # Errors
/// When it cannot be written as JSON, which does not happen.
pub fn note_export(tx: &mut Tx<'_>, export: &PersonExport) -> Result<()> {
    let guests: Vec<_> = export.guests.iter().map(|guest| guest.id).collect();
    let reservations: Vec<_> = export
        .reservations
        .iter()
        .map(|booking| booking.id)
        .collect();
    let invitations: Vec<_> = export.invitations.iter().map(|one| one.id).collect();
    let after = json!({
        "seq": export.seq,
        "guestIds": guests,
        "reservationIds": reservations,
        "invitationIds": invitations,
        "events": export.events.len(),
        "auditEntries": export.audit.len(),
        "answers": export.answers.len(),
    });
    tx.audit(Entry {
        entity: AuditEntity::Person,
        entity_id: export.id,
        action: Action::Exported,
        before: None,
        after: Some(after.to_string()),
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
    for place in PLACES {
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

//! Reading entries.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;
use wire::audit::{AuditEntity, AuditEntry, AuditFilter};
use wire::live::events::Action;
use wire::times::Moment;
use wire::{RestaurantId, Seq, SessionId, TransactionId, UserId};

use crate::Result;
use crate::page::{self, Page};
use crate::schema::{audit_entries, users};
use crate::words::words;

/// An entry, as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
pub(crate) struct EntryRow {
    created_at: DateTime<Utc>,
    seq: Seq,
    n: i16,
    entity: AuditEntity,
    entity_id: Uuid,
    action: Action,
    before: Option<Value>,
    after: Option<Value>,
    pub(crate) actor_id: Option<UserId>,
    session_id: Option<SessionId>,
    device_name: Option<String>,
    request_id: Option<String>,
    transaction_id: Option<TransactionId>,
}

impl EntryRow {
    /// The entry, as it is read, with its actor's name.
    pub(crate) fn with_names(self, names: &HashMap<UserId, String>) -> AuditEntry {
        AuditEntry {
            created_at: self.created_at,
            seq: self.seq,
            n: self.n,
            entity: self.entity,
            entity_id: self.entity_id,
            action: self.action,
            before: self.before,
            after: self.after,
            actor_id: self.actor_id,
            actor_name: self.actor_id.and_then(|id| names.get(&id).cloned()),
            session_id: self.session_id,
            device_name: self.device_name,
            request_id: self.request_id,
            transaction_id: self.transaction_id,
        }
    }
}

/// The entries that `filter` asks for, newest first: by the time at which their transactions began,
/// and of the same moment by their events' numbers.
///
/// # Errors
/// [`crate::Error::Invalid`] for a filter that cannot be read.
pub async fn list(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    filter: &AuditFilter,
) -> Result<Page<AuditEntry>> {
    let entities = words::<AuditEntity>("entity", filter.entity.as_deref())?;
    let limit = page::limit(filter.limit)?;
    let after = page::after::<(Moment, Seq, i16)>(filter.cursor.as_deref())?;
    let mut query = audit_entries::table
        .filter(audit_entries::restaurant_id.eq(restaurant))
        .select(EntryRow::as_select())
        .order((
            audit_entries::created_at.desc(),
            audit_entries::seq.desc(),
            audit_entries::n.desc(),
        ))
        .limit(limit + 1)
        .into_boxed();
    if let Some(entities) = entities {
        // Entries of one kind are in their order in an index; those of several are not.
        query = match entities[..] {
            [one] => query.filter(audit_entries::entity.eq(one)),
            _ => query.filter(audit_entries::entity.eq_any(entities)),
        };
    }
    if let Some(id) = filter.id {
        query = query.filter(audit_entries::entity_id.eq(id));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_entries::actor_id.eq(actor));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_entries::created_at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_entries::created_at.lt(until));
    }
    if let Some((Moment(at), seq, n)) = after {
        // The first condition says nothing new, but is one that an index can begin at.
        query = query.filter(audit_entries::created_at.le(at)).filter(
            audit_entries::created_at
                .lt(at)
                .or(audit_entries::seq.lt(seq))
                .or(audit_entries::seq.eq(seq).and(audit_entries::n.lt(n))),
        );
    }
    let rows = query.load::<EntryRow>(conn).await?;
    let names = actor_names(conn, rows.iter().filter_map(|row| row.actor_id)).await?;
    let items = rows.into_iter().map(|row| row.with_names(&names)).collect();
    page::paged(items, limit, |entry: &AuditEntry| {
        (entry.created_at, entry.seq, entry.n)
    })
}

/// The names of accounts, as they are now.
pub(crate) async fn actor_names(
    conn: &mut AsyncPgConnection,
    actors: impl Iterator<Item = UserId>,
) -> Result<HashMap<UserId, String>> {
    let mut actors: Vec<UserId> = actors.collect();
    actors.sort_unstable();
    actors.dedup();
    let rows = users::table
        .filter(users::id.eq_any(actors))
        .select((users::id, users::first_name, users::last_name, users::email))
        .load::<(UserId, String, String, String)>(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, first, last, email)| {
            let name = format!("{first} {last}");
            let name = name.trim();
            (
                id,
                if name.is_empty() {
                    email
                } else {
                    name.to_owned()
                },
            )
        })
        .collect())
}

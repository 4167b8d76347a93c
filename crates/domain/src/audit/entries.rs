//! Writing entries.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use uuid::Uuid;
use wire::audit::AuditEntity;
use wire::live::events::Action;
use wire::{RestaurantId, Seq, SessionId, TransactionId, UserId};

use super::difference::difference;
use crate::db::{Change, Scope};
use crate::schema::audit_entries;
use crate::{Result, log};

/// What was done to one thing.
pub(crate) struct Entry {
    pub(crate) entity: AuditEntity,
    pub(crate) entity_id: Uuid,
    pub(crate) action: Action,
    /// JSON.
    pub(crate) before: Option<String>,
    /// JSON.
    pub(crate) after: Option<String>,
}

impl Entry {
    /// Something new, of which no event tells.
    pub(crate) fn created(
        entity: AuditEntity,
        entity_id: Uuid,
        state: &impl Serialize,
    ) -> Result<Self> {
        Ok(Self {
            entity,
            entity_id,
            action: Action::Created,
            before: None,
            after: Some(serde_json::to_string(state)?),
        })
    }

    /// What a change says to the audit; `None` for one that is about no single thing, or is
    /// audited otherwise.
    pub(crate) fn of(change: &Change) -> Result<Option<Self>> {
        let Some(entity) = change.kind.entity().filter(|_| change.is_audited) else {
            return Ok(None);
        };
        let (before, after) = match &change.before {
            before if change.action == Action::Deleted => {
                (before.as_ref().map(|state| state.get().to_owned()), None)
            }
            None => (None, Some(change.data.get().to_owned())),
            Some(before) => {
                let (before, after) = difference(before, &change.data)?;
                (Some(before), Some(after))
            }
        };
        Ok(Some(Self {
            entity,
            entity_id: change.entity_id.as_uuid(),
            action: change.action,
            before,
            after,
        }))
    }
}

/// Entries of one transaction, column by column.
pub(crate) struct Rows {
    at: DateTime<Utc>,
    actor_id: Option<UserId>,
    session_id: Option<SessionId>,
    request_id: Option<String>,
    transaction_id: Option<TransactionId>,
    positions: Vec<i64>,
    entities: Vec<&'static str>,
    entity_ids: Vec<Uuid>,
    actions: Vec<&'static str>,
    befores: Vec<Option<String>>,
    afters: Vec<Option<String>>,
}

impl Rows {
    pub(crate) fn new(scope: &Scope, at: DateTime<Utc>) -> Self {
        Self {
            at,
            actor_id: scope.actor.user_id,
            session_id: scope.actor.session_id,
            request_id: scope.request_id.map(|id| id.as_str().to_owned()),
            transaction_id: scope.transaction_id,
            positions: Vec::new(),
            entities: Vec::new(),
            entity_ids: Vec::new(),
            actions: Vec::new(),
            befores: Vec::new(),
            afters: Vec::new(),
        }
    }

    /// Adds the entry of the transaction's `position`th event, or the `position`th without one.
    pub(crate) fn add(&mut self, position: i64, entry: Entry) {
        self.positions.push(position);
        self.entities.push(entry.entity.as_str());
        self.entity_ids.push(entry.entity_id);
        self.actions.push(entry.action.as_str());
        self.befores.push(entry.before);
        self.afters.push(entry.after);
    }

    /// Writes the INSERT. It reads `restaurant_id` from a query named `head`, and `seq` and `n`
    /// are what `numbering` makes of that and of `entry.position`.
    ///
    /// The name of the device is looked up here and kept: logins are forgotten long before.
    pub(crate) fn walk<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, Pg>,
        numbering: &str,
    ) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO audit_entries \
             (restaurant_id, created_at, seq, n, entity, entity_id, action, before, after, \
             actor_id, session_id, device_name, request_id, transaction_id) \
             SELECT head.restaurant_id, ",
        );
        out.push_bind_param::<Timestamptz, _>(&self.at)?;
        out.push_sql(", ");
        out.push_sql(numbering);
        out.push_sql(
            ", entry.entity, entry.entity_id, entry.action, entry.before::jsonb, \
             entry.after::jsonb, ",
        );
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.actor_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.session_id)?;
        out.push_sql(", (SELECT device_name FROM device_sessions WHERE id = ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.session_id)?;
        out.push_sql("), ");
        out.push_bind_param::<Nullable<Text>, _>(&self.request_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.transaction_id)?;
        out.push_sql(" FROM head, unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.positions)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.entities)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.entity_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.actions)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.befores)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.afters)?;
        out.push_sql(") AS entry (position, entity, entity_id, action, before, after)");
        Ok(())
    }
}

/// Writes what no event tells of. Locks the log's head: nothing else may be locked after it.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is no such restaurant.
pub(crate) async fn record(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    entries: Vec<Entry>,
    at: DateTime<Utc>,
) -> Result<()> {
    let seq = log::lock_head(conn, scope.restaurant_id).await?.last_seq;
    let last = audit_entries::table
        .filter(audit_entries::restaurant_id.eq(scope.restaurant_id))
        .filter(audit_entries::created_at.eq(at))
        .filter(audit_entries::seq.eq(seq))
        .select(diesel::dsl::max(audit_entries::n))
        .first::<Option<i16>>(conn)
        .await?
        .unwrap_or(0);
    let mut rows = Rows::new(scope, at);
    for (position, entry) in (1..).zip(entries) {
        rows.add(position, entry);
    }
    let insert = Record {
        restaurant_id: scope.restaurant_id,
        seq,
        last,
        rows,
    };
    insert.execute(conn).await?;
    Ok(())
}

#[derive(QueryId)]
struct Record {
    restaurant_id: RestaurantId,
    seq: Seq,
    last: i16,
    rows: Rows,
}

impl QueryFragment<Pg> for Record {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH head AS (SELECT ");
        out.push_bind_param::<SqlUuid, _>(&self.restaurant_id)?;
        out.push_sql("::uuid AS restaurant_id, ");
        out.push_bind_param::<BigInt, _>(&self.seq)?;
        out.push_sql("::bigint AS seq, ");
        out.push_bind_param::<SmallInt, _>(&self.last)?;
        out.push_sql("::smallint AS last) ");
        self.rows
            .walk(&mut out, "head.seq, (head.last + entry.position)::smallint")
    }
}

//! Appending: one statement takes the next numbers, writes the events under them, and writes to
//! the audit what they changed.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::entities::Topic;
use wire::live::events::{Envelope, FrameParts, left_frame};
use wire::{Epoch, RestaurantId, RootId, Seq};

use super::own::{OwnFrames, as_text};
use crate::audit::{Entry, Rows};
use crate::db::{Appended, AppendedEvent, Change, Scope};
use crate::{Error, Result};

/// Appends one event per change. Must be the last statement before COMMIT: the lock on the head,
/// held until the commit, is what makes the order of numbers the order of commits.
///
/// Returns the events with the bytes that the log now has.
pub(crate) async fn append(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    changes: Vec<Change>,
    at: DateTime<Utc>,
) -> Result<Appended> {
    let mut statement = Append::new(scope, at);
    let mut pending = Vec::with_capacity(changes.len());
    for (position, change) in (1..).zip(changes) {
        if let Some(entry) = Entry::of(&change)? {
            statement.audit.add(position, entry);
        }
        let envelope = Envelope {
            kind: change.kind,
            restaurant_id: scope.restaurant_id,
            entity_id: change.entity_id,
            action: change.action,
            timestamp: at,
            actor_id: scope.actor.user_id,
            transaction_id: scope.transaction_id,
        };
        let parts = FrameParts::new(&envelope, &change.data)?;
        let public = change
            .public_data
            .map(|data| FrameParts::public(&envelope, &data))
            .transpose()?;
        statement.add(&envelope, &parts, public.as_ref());
        let own = change.own.map(|own| {
            let parts = FrameParts::own(&envelope, &own.data)?;
            Ok::<_, Error>((own.left(), own.now, parts))
        });
        let own = own.transpose()?;
        statement.add_own(own.as_ref());
        pending.push((envelope, parts, public, own));
    }
    let count = statement.count;
    let (epoch, last_seq) = statement
        .get_result::<(Epoch, Seq)>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))?;
    let events = (last_seq - count + 1..)
        .zip(pending)
        .map(|(seq, (envelope, parts, public, own))| AppendedEvent {
            seq,
            kind: envelope.kind,
            frame: parts.splice(seq),
            public_frame: public.map(|parts| parts.splice(seq)),
            own: own.and_then(|(left, now, parts)| {
                let (kind, thing) = (envelope.kind, envelope.entity_id.as_uuid());
                let lost = || left_frame(kind, scope.restaurant_id, thing, at, seq);
                OwnFrames::new(now, Some(parts.splice(seq)), left, lost)
            }),
        })
        .collect();
    Ok(Appended {
        restaurant_id: scope.restaurant_id,
        epoch,
        events,
        at,
    })
}

/// The number of the last topic.
const TOPICS: i32 = Topic::COUNT as i32;

/// The statement. A type of its own, because raw SQL would be prepared anew each time.
#[derive(QueryId)]
struct Append {
    restaurant_id: RestaurantId,
    at: DateTime<Utc>,
    count: i64,
    topics: Vec<i32>,
    kinds: Vec<&'static str>,
    entity_ids: Vec<Uuid>,
    audiences: Vec<&'static str>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    public_prefixes: Vec<Option<String>>,
    public_suffixes: Vec<Option<String>>,
    own_roots: Vec<Option<String>>,
    left_roots: Vec<Option<String>>,
    /// Before the number they are as the frame for staff is.
    own_suffixes: Vec<Option<String>>,
    audit: Rows,
}

/// What followers of things hear of an event: which lost it, which have it, and their frame.
type Own = (Vec<RootId>, Vec<RootId>, FrameParts);

impl Append {
    fn new(scope: &Scope, at: DateTime<Utc>) -> Self {
        Self {
            restaurant_id: scope.restaurant_id,
            at,
            count: 0,
            topics: Vec::new(),
            kinds: Vec::new(),
            entity_ids: Vec::new(),
            audiences: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            public_prefixes: Vec::new(),
            public_suffixes: Vec::new(),
            own_roots: Vec::new(),
            left_roots: Vec::new(),
            own_suffixes: Vec::new(),
            audit: Rows::new(scope, at),
        }
    }

    fn add(&mut self, envelope: &Envelope, parts: &FrameParts, public: Option<&FrameParts>) {
        self.count += 1;
        let topic = envelope.kind.topic().map(|topic| i32::from(topic as u8));
        self.topics
            .extend(topic.filter(|topic| !self.topics.contains(topic)));
        self.kinds.push(envelope.kind.as_str());
        self.entity_ids.push(envelope.entity_id.as_uuid());
        self.audiences
            .push(if public.is_some() { "public" } else { "staff" });
        self.prefixes.push(parts.prefix.clone());
        self.suffixes.push(parts.suffix.clone());
        self.public_prefixes
            .push(public.map(|parts| parts.prefix.clone()));
        self.public_suffixes
            .push(public.map(|parts| parts.suffix.clone()));
    }

    fn add_own(&mut self, own: Option<&Own>) {
        let (left, now, parts) = match own {
            Some((left, now, parts)) => (as_text(left), as_text(now), Some(parts)),
            None => (None, None, None),
        };
        let suffix = parts.filter(|_| now.is_some());
        self.own_suffixes
            .push(suffix.map(|parts| parts.suffix.clone()));
        self.own_roots.push(now);
        self.left_roots.push(left);
    }
}

impl Append {
    /// Sets where each topic was last told of. Those that were not told of now stay, save where the
    /// head was last moved by a program that knows of no topics: then it may have been any of them.
    /// Topics of a later program, behind the last that is known here, stay too.
    fn tell_topics<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(", topic_seqs = ARRAY(SELECT CASE WHEN number = ANY(");
        out.push_bind_param::<Array<Integer>, _>(&self.topics)?;
        out.push_sql(") THEN last_seq + ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(
            " WHEN topics_upto = last_seq THEN coalesce(topic_seqs[number], 0) ELSE last_seq END \
             FROM generate_series(1, greatest(cardinality(topic_seqs), ",
        );
        out.push_bind_param::<Integer, _>(&TOPICS)?;
        out.push_sql(")) AS number)");
        Ok(())
    }
}

impl QueryFragment<Pg> for Append {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH head AS (UPDATE log_heads SET last_seq = last_seq + ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(", topics_upto = last_seq + ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        self.tell_topics(&mut out)?;
        out.push_sql(" WHERE restaurant_id = ");
        out.push_bind_param::<SqlUuid, _>(&self.restaurant_id)?;
        out.push_sql(" RETURNING restaurant_id, epoch, last_seq, last_seq - ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(
            " AS start), appended AS (INSERT INTO events \
             (restaurant_id, seq, kind, entity_id, audience, frame, public_frame, own_roots, \
             left_roots, own_frame, created_at) \
             SELECT restaurant_id, start + n, kind, entity_id, audience, \
             prefix || (start + n)::text || suffix, \
             public_prefix || (start + n)::text || public_suffix, own_roots::uuid[], \
             left_roots::uuid[], prefix || (start + n)::text || own_suffix, ",
        );
        out.push_bind_param::<Timestamptz, _>(&self.at)?;
        out.push_sql(" FROM head, unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.entity_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.audiences)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.prefixes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.suffixes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.public_prefixes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.public_suffixes)?;
        for column in [&self.own_roots, &self.left_roots, &self.own_suffixes] {
            out.push_sql(", ");
            out.push_bind_param::<Array<Nullable<Text>>, _>(column)?;
        }
        out.push_sql(
            ") WITH ORDINALITY AS event \
             (kind, entity_id, audience, prefix, suffix, public_prefix, public_suffix, own_roots, \
             left_roots, own_suffix, n)), \
             audited AS (",
        );
        self.audit
            .walk(&mut out, "head.start + entry.position, 0")?;
        out.push_sql(") SELECT epoch, last_seq FROM head");
        Ok(())
    }
}

impl Query for Append {
    type SqlType = (SqlUuid, BigInt);
}

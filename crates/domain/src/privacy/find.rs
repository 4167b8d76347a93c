//! What is a person's: things of all rooms, those that are gone too.
//!
//! What the log, the audit and the remembered answers know is looked through once, in Rust: only
//! documents that say a number, an address or a link of anybody are read at all, which the database
//! tells by a look at their text, and of these only what says so ([`super::told`]). So it costs what
//! the documents weigh, however often one thing leads to another.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::TryStreamExt;
use serde_json::{Map, Value};
use uuid::Uuid;
use wire::audit::AuditEntity;
use wire::live::events::{EventKind, split_data};
use wire::personal::{Tells, fields_that_tell};
use wire::{RestaurantId, Seq};

use super::person::Person;
use super::places::{Holds, places};
use super::told::{Thing, Told};
use crate::{Result, rooms};

/// What documents know of a person, and of whom they link to whom.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What has, or had, the number or address.
    theirs: BTreeSet<Uuid>,
    /// Who named each party or booking as its own.
    named_by: HashMap<Uuid, BTreeSet<Uuid>>,
}

/// What is the person's: what has the number or address, or had it as far as the log and the audit
/// tell, and the party of each booking and the booking of each party. Of the log and the audit only
/// what came after `seen` is looked at; what was learned before is in `facts`.
pub(super) async fn find(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    person: &Person,
    seen: Seq,
    facts: &mut Facts,
) -> Result<BTreeSet<Uuid>> {
    for place in places() {
        if let Some((columns, holds)) = place.documents() {
            // One after the other: all of them may be more than belongs into memory.
            let mut rows = diesel::sql_query(query(place.table, &columns, holds))
                .bind::<SqlUuid, _>(restaurant)
                .bind::<BigInt, _>(seen)
                .load_stream::<Row>(conn)
                .await?;
            while let Some(row) = rows.try_next().await? {
                facts.learn(person, &row, holds)?;
            }
        }
    }
    let rows = rows();
    let mut ids = facts.theirs.clone();
    // What was found may lead to more: a booking to its party, which had another number too.
    loop {
        let before = ids.len();
        let known: Vec<Uuid> = ids.iter().copied().collect();
        let linked = known.iter().filter_map(|id| facts.named_by.get(id));
        ids.extend(linked.flatten());
        let found = diesel::sql_query(rows.as_str())
            .bind::<SqlUuid, _>(restaurant)
            .bind::<Array<Text>, _>(&person.digits)
            .bind::<Array<Text>, _>(&person.spellings)
            .bind::<Array<SqlUuid>, _>(known)
            .load::<Found>(conn)
            .await?;
        let is_meant = |found: &Found| match &found.email {
            Some(email) => person.has_address(email),
            None => true,
        };
        ids.extend(found.into_iter().filter(is_meant).map(|found| found.id));
        if ids.len() == before {
            return Ok(ids);
        }
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// The address that is there, if it was found by nothing else.
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
}

/// The query for rows that are the person's.
fn rows() -> String {
    let all = rooms::OF_PEOPLE.iter().flat_map(|things| things.found_by());
    all.copied().collect::<Vec<_>>().join(" UNION ")
}

/// A row of documents.
#[derive(QueryableByName)]
struct Row {
    /// Whose state they are; nobody's in particular in an answer.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    id: Option<Uuid>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    texts: Vec<Option<String>>,
}

impl Facts {
    fn learn(&mut self, person: &Person, row: &Row, holds: Holds) -> Result<()> {
        for text in row.texts.iter().flatten() {
            let json = match holds {
                Holds::Frame => split_data(text).map(|(_, data)| data),
                _ => Some(text.as_str()),
            };
            if let Some(json) = json {
                self.note(person, row.id, &serde_json::from_str(json)?);
            }
        }
        Ok(())
    }

    /// Notes a state of `id`, or in an answer of all that have one.
    fn note(&mut self, person: &Person, id: Option<Uuid>, told: &Told<'_>) {
        match (id, told) {
            (Some(id), Told::Thing(state)) => self.note_state(person, id, state),
            (None, Told::Thing(thing)) => {
                let own = thing.id.as_deref();
                if let Some(id) = own.and_then(|id| id.parse().ok()) {
                    self.note_state(person, id, thing);
                }
                let parts = thing.parts.iter();
                parts.for_each(|part| self.note(person, None, part));
            }
            (None, Told::List(list)) => {
                list.iter().for_each(|part| self.note(person, None, part));
            }
            _ => {}
        }
    }

    /// Notes the state of a thing, with those of its parts that are no things by themselves.
    fn note_state(&mut self, person: &Person, id: Uuid, state: &Thing<'_>) {
        for (tells, text) in &state.fields {
            self.note_field(person, id, *tells, text);
        }
        for part in &state.parts {
            let several = match part {
                Told::List(list) => list.as_slice(),
                one => std::slice::from_ref(one),
            };
            for part in several {
                if let Told::Thing(part) = part
                    && !part.stands_alone
                {
                    self.note_state(person, id, part);
                }
            }
        }
    }

    fn note_field(&mut self, person: &Person, id: Uuid, tells: Tells, text: &str) {
        let is_theirs = match tells {
            Tells::Phone => person.has_phone(text),
            Tells::Email => person.has_address(text),
            Tells::Link => {
                if let Ok(other) = text.parse() {
                    self.named_by.entry(other).or_default().insert(id);
                }
                false
            }
            _ => false,
        };
        if is_theirs {
            self.theirs.insert(id);
        }
    }
}

/// Whether a part of a thing is none by itself, as another thing or an account is.
pub(super) fn is_part(part: &Map<String, Value>) -> bool {
    !part.contains_key("id") && !part.contains_key("userId")
}

/// The query for rows of a table of documents that may tell something, with those columns that do.
fn query(table: &str, columns: &[&str], holds: Holds) -> String {
    // PostgreSQL writes a space behind the colon.
    let space = if holds == Holds::Fields { " " } else { "" };
    let tells = |column: &str| {
        let names = [Tells::Phone, Tells::Email, Tells::Link];
        let names = names.into_iter().flat_map(fields_that_tell);
        let says = names.map(|name| format!("position('\"{name}\":{space}\"' IN {column}) > 0"));
        says.collect::<Vec<_>>().join(" OR ")
    };
    let each = |write: &dyn Fn(&str) -> String, between: &str| {
        let written = columns.iter().map(|column| write(column));
        written.collect::<Vec<_>>().join(between)
    };
    let texts = each(&|column| format!("{column}::text AS {column}"), ", ");
    let told = each(
        &|column| format!("CASE WHEN {} THEN {column} END", tells(column)),
        ", ",
    );
    let any = each(&tells, " OR ");
    let (id, which) = match holds {
        Holds::Document => ("NULL::uuid", "$2::bigint IS NOT NULL".to_owned()),
        Holds::Frame => {
            let kinds = EventKind::ALL.iter().filter(|kind| {
                let entity = kind.entity();
                entity.is_some_and(AuditEntity::is_personal)
            });
            let kinds = list(kinds.map(|kind| kind.as_str()));
            ("entity_id", format!("seq > $2 AND kind IN ({kinds})"))
        }
        _ => {
            let entities = AuditEntity::ALL.iter();
            let entities = entities.filter(|entity| entity.is_personal());
            let entities = list(entities.map(|entity| entity.as_str()));
            ("entity_id", format!("seq > $2 AND entity IN ({entities})"))
        }
    };
    // Behind OFFSET the texts are made once, and not for each question that is asked of them.
    format!(
        "SELECT id, ARRAY[{told}] AS texts FROM (\
             SELECT {id} AS id, {texts} FROM {table} \
             WHERE restaurant_id = $1 AND {which} OFFSET 0\
         ) AS documents WHERE {any}"
    )
}

/// Words as a list of literals.
fn list<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("'{word}'")).collect();
    quoted.join(", ")
}

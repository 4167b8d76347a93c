//! Every field that is named like a person's is declared to be one, or not to be.
#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and cannot get fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::ToSchema;
use wire::audit::AuditEntity;
use wire::entities::Payloads;
use wire::live::events::EventKind;
use wire::people::invitations::Invitation;
use wire::personal::Tells;

/// What fields of people are named like.
const LIKE: [&str; 17] = [
    "address", "allerg", "birth", "comment", "contact", "customer", "dietary", "email", "gender",
    "language", "mail", "message", "name", "note", "phone", "request", "tags",
];

/// The things of which no event tells, and what the audit has of them.
fn told_by_the_audit_alone(entity: AuditEntity) -> Option<BTreeSet<String>> {
    match entity {
        AuditEntity::Invitation => Some(fields_of::<Invitation>()),
        _ => None,
    }
}

/// The fields of a type and of all its parts.
fn fields_of<T: ToSchema>() -> BTreeSet<String> {
    let mut schemas = vec![(String::new(), T::schema())];
    T::schemas(&mut schemas);
    let mut found = BTreeSet::new();
    for (_, schema) in schemas {
        collect(&serde_json::to_value(schema).unwrap(), &mut found);
    }
    found
}

fn collect(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(parts) => {
            if let Some(Value::Object(properties)) = parts.get("properties") {
                into.extend(properties.keys().cloned());
            }
            parts.values().for_each(|part| collect(part, into));
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, into)),
        _ => {}
    }
}

struct Fields;

impl Payloads for Fields {
    type Shown = BTreeSet<String>;

    fn one<T: ToSchema>(&mut self) -> Self::Shown {
        fields_of::<T>()
    }

    fn either<T: ToSchema, U: ToSchema>(&mut self) -> Self::Shown {
        &fields_of::<T>() | &fields_of::<U>()
    }
}

/// All fields of each kind of thing.
fn all() -> BTreeMap<AuditEntity, BTreeSet<String>> {
    let mut all: BTreeMap<AuditEntity, BTreeSet<String>> = BTreeMap::new();
    for kind in EventKind::ALL {
        if let (Some(entity), Some(fields)) = (kind.entity(), kind.show_payload(&mut Fields)) {
            all.entry(entity).or_default().extend(fields);
        }
    }
    for entity in AuditEntity::ALL {
        if let Some(fields) = told_by_the_audit_alone(*entity) {
            all.entry(*entity).or_default().extend(fields);
        }
    }
    all
}

#[test]
fn what_is_named_like_a_persons_is_declared() {
    let all = all();
    for entity in AuditEntity::ALL {
        let fields = all.get(entity);
        let fields = fields.unwrap_or_else(|| panic!("{entity}: what the audit has of it"));
        let declared: BTreeSet<&str> = entity.personal().iter().map(|(name, _)| *name).collect();
        assert_eq!(declared.len(), entity.personal().len(), "{entity}: twice");
        let missing: Vec<&String> = fields
            .iter()
            .filter(|field| {
                let name = field.to_lowercase();
                LIKE.iter().any(|like| name.contains(like)) && !declared.contains(field.as_str())
            })
            .collect();
        assert!(
            missing.is_empty(),
            "{entity}: `personal` in entities.rs says of each what it tells of a person, or that it \
             tells nothing: {missing:?}"
        );
        let unknown: Vec<_> = declared
            .iter()
            .filter(|name| !fields.contains(**name))
            .collect();
        assert!(
            unknown.is_empty(),
            "{entity} has no such fields: {unknown:?}"
        );
    }
}

/// Documents are searched by the names of fields, whatever thing they stand in.
#[test]
fn a_name_tells_the_same_of_all_things_of_people() {
    let mut told: BTreeMap<&str, (Tells, AuditEntity)> = BTreeMap::new();
    for entity in AuditEntity::ALL.iter().filter(|one| one.is_personal()) {
        for (name, tells) in entity.personal() {
            let (known, of) = *told.entry(name).or_insert((*tells, *entity));
            assert_eq!(known, *tells, "{name} of {of} and of {entity}");
        }
    }
}

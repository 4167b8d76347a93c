//! What rooms show in snapshots, in the description of snapshots.

use std::collections::BTreeMap;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use wire::live::snapshot::Snapshot;

use crate::snapshots::Parts;

/// A snapshot with the fields of all parts, and what they refer to.
pub fn schemas(parts: Parts) -> BTreeMap<String, RefOr<Schema>> {
    let mut schemas = BTreeMap::new();
    let mut snapshot = Snapshot::schema();
    for part in parts.0.iter().rev() {
        let described = part.describe();
        schemas.extend(described.referred);
        if let (RefOr::T(Schema::Object(all)), RefOr::T(Schema::Object(fields))) =
            (&mut snapshot, described.fields)
        {
            all.properties.extend(fields.properties);
            all.required.splice(0..0, fields.required);
        }
    }
    schemas.insert(Snapshot::name().into_owned(), snapshot);
    schemas
}

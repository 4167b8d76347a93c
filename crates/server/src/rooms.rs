//! What rooms keep in a worker, and what they register with the ground: a line for each.

use std::sync::Arc;

use domain::db::Db;
use realtime::Hub;
use utoipa::Modify;
use utoipa::openapi::OpenApi;
use wire::floor::availability::TableConflict;

use crate::access::holders;
use crate::describe::{details, sections};
use crate::floor::metrics::Parties;
use crate::floor::snapshot::OfFloor;
use crate::menu::cache::Menus;
use crate::people;
use crate::platform::commits::OnCommit;
use crate::seen::metrics::Metrics;
use crate::snapshots::Parts;
use crate::venue::snapshot::OfVenue;
use crate::work::Work;

/// What they show in snapshots, in this order.
pub const PARTS: Parts = Parts(&[&OfVenue, &OfFloor]);

/// Their work that comes again and again.
pub const WORK: &[Work] = &[
    people::work::CHECK_SOCKETS,
    holders::CHECK_SOCKETS,
    people::work::FILL_KEYS,
];

/// What rooms keep in a worker.
#[derive(Debug)]
pub struct Rooms {
    /// Menus, as everybody reads them.
    pub menus: Menus,
}

impl Rooms {
    /// All as they begin, and those of them that are to know of commits.
    ///
    /// # Errors
    /// When two metrics have one name, which a test would find first.
    pub fn open(
        db: &Db,
        hub: &Hub,
        metrics: &Metrics,
    ) -> prometheus::Result<(Self, Vec<Arc<dyn OnCommit>>)> {
        let menus = Menus::new(db.clone(), hub.clone());
        let parties = Parties::new(metrics.registry())?;
        let listeners: Vec<Arc<dyn OnCommit>> = vec![Arc::new(parties), Arc::new(menus.clone())];
        Ok((Self { menus }, listeners))
    }
}

/// What they add to `/openapi.json` beside their paths.
pub struct OfRooms;

impl Modify for OfRooms {
    fn modify(&self, document: &mut OpenApi) {
        details::describe::<TableConflict>(document);
        let components = document.components.get_or_insert_default();
        components.schemas.extend(sections::schemas(PARTS));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::Schema;
    use wire::floor::snapshot::Floor;
    use wire::live::snapshot::{Section, Sections};

    use super::*;
    use crate::snapshots::Part;

    #[test]
    fn no_two_rooms_show_the_same_field() {
        let mut seen = BTreeSet::from(["lastUpdated", "epoch", "seq", "type"].map(str::to_owned));
        for part in PARTS.0 {
            let RefOr::T(Schema::Object(fields)) = part.describe().fields else {
                panic!("a part is an object");
            };
            for name in fields.properties.keys() {
                assert!(seen.insert(name.clone()), "{name}");
            }
        }
    }

    #[test]
    fn what_is_described_is_what_is_shown() {
        let floor: Floor = serde_json::from_value(json!({"guests": [], "tables": []})).unwrap();
        let mut sections = Sections::default();
        floor.write(&mut sections).unwrap();
        let RefOr::T(Schema::Object(described)) = OfFloor.describe().fields else {
            panic!("a part is an object");
        };
        let described: BTreeSet<_> = described.properties.keys().map(String::as_str).collect();
        assert_eq!(sections.names().collect::<BTreeSet<_>>(), described);
    }
}

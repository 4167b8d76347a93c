//! What rooms keep in a worker, and what they register with the ground: a line for each.

use std::sync::Arc;

use domain::db::Db;
use realtime::Hub;

use crate::floor::metrics::Parties;
use crate::menu::cache::Menus;
use crate::platform::commits::OnCommit;
use crate::seen::metrics::Metrics;

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

//! The audit: what it says of every kind of change, and that nobody can take it back.

mod append_only;
mod entries;
mod reading;

use domain::page::Page;
use serde_json::Value;
use wire::audit::{AuditEntry, AuditFilter};

use crate::tablet::Tablet;

/// A page of the audit.
async fn page(tablet: &Tablet, filter: Value) -> domain::Result<Page<AuditEntry>> {
    let (here, filter) = (
        tablet.id(),
        serde_json::from_value::<AuditFilter>(filter).unwrap(),
    );
    tablet
        .db
        .read("test", async |conn| {
            domain::audit::list(conn, here, &filter).await
        })
        .await
}

/// All entries, oldest first.
pub(crate) async fn entries(tablet: &Tablet, filter: Value) -> Vec<AuditEntry> {
    let mut entries = page(tablet, filter).await.unwrap().items;
    entries.reverse();
    entries
}

//! Who is to know of what this worker commits.

use domain::db::Appended;

/// Somebody who is told of every commit of this worker, before its sessions are.
pub trait OnCommit: Send + Sync {
    /// These events are in the log now. Whoever asked for them waits: what takes long is for later.
    fn committed(&self, appended: &Appended);
}

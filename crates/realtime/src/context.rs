//! What all rooms of a hub share.

use std::sync::Arc;

use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::Reach;
use crate::config::HubConfig;
use crate::dispatch::{Dispatcher, Dispatchers};
use crate::reader::Reader;
use crate::stats::Stats;

pub(crate) struct Context {
    pub(crate) config: HubConfig,
    pub(crate) reader: Reader,
    pub(crate) stats: Arc<Stats>,
    /// Ends everything.
    pub(crate) token: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// The runtime on which the hub was started. Sessions live on others that may end before.
    pub(crate) runtime: Handle,
    pub(crate) dispatchers: Dispatchers,
    /// How far each part of the bus reaches.
    pub(crate) reach: RwLock<Box<[Reach]>>,
    /// Calls for a comparison of all rooms with the log, now.
    pub(crate) compare_now: Notify,
    #[cfg(feature = "faults")]
    pub(crate) dropper: crate::faults::Dropper,
}

impl Context {
    /// Runs a task on the hub's runtime until `token` is cancelled.
    pub(crate) fn spawn(
        &self,
        token: &CancellationToken,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = token.clone().run_until_cancelled_owned(task);
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Who wakes the sessions of the current runtime.
    pub(crate) fn dispatcher(&self) -> Arc<Dispatcher> {
        self.dispatchers.here(&self.runtime, &self.token)
    }

    /// How far the bus reaches altogether: as far as its worst part.
    pub(crate) fn reach(&self) -> Reach {
        let reach = self.reach.read();
        reach.iter().copied().min().unwrap_or_default()
    }

    /// How far a part of the bus reaches.
    pub(crate) fn reach_of(&self, part: usize) -> Reach {
        self.reach.read().get(part).copied().unwrap_or_default()
    }

    /// Takes note of how far a part reaches now. Says how far it did before.
    pub(crate) fn set_reach(&self, part: usize, reach: Reach) -> Option<Reach> {
        let mut reaches = self.reach.write();
        Some(std::mem::replace(reaches.get_mut(part)?, reach))
    }
}

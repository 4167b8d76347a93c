//! The log's older pages, for sessions that stand before their room's recent events.
//!
//! Pages begin at multiples of their size, so that sessions which came back together, each from
//! its own place, read and hold the same pages: many slow readers cost what one does. A page is
//! kept only while some session stands in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use wire::{Epoch, Seq};

use crate::backoff::Backoff;
use crate::event::Event;
use crate::log::Page;
use crate::reader::ReadError;
use crate::room::Room;
use crate::window::Mark;

/// After how many reads in vain events are believed to be lost.
const VAIN_READS: u32 = 5;
/// From this many known pages on, those that nobody holds any more are removed.
const CROWD: usize = 32;

/// A page of the log, read at most once by all who want it.
#[derive(Debug)]
pub(crate) struct Block {
    page: OnceCell<Page>,
    /// The log has other bytes by now: whoever stands here reads again.
    is_stale: Arc<AtomicBool>,
}

impl Block {
    /// The events from `seq` on; `None` when `seq` is not here, or not any more.
    pub(crate) fn from(&self, seq: Seq) -> Option<impl Iterator<Item = &Event>> {
        if self.is_stale.load(Ordering::Acquire) {
            return None;
        }
        let events = &self.page.get()?.events;
        let index = usize::try_from(seq - events.first()?.seq).ok()?;
        events
            .get(index..)
            .filter(|rest| !rest.is_empty())
            .map(<[Event]>::iter)
    }
}

/// The pages of a room that some session holds.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    blocks: HashMap<Seq, Weak<Block>>,
    /// Whether those that were begun since the last erasure are stale. Shared with all of them,
    /// also with those that others have taken the place of and only a session still holds.
    are_stale: Arc<AtomicBool>,
}

impl Backlog {
    pub(crate) fn clear(&self) {
        self.0.lock().blocks.clear();
    }

    /// Takes the pages from those who hold them or are reading them, too: values were erased.
    pub(crate) fn forget(&self) {
        let old = std::mem::take(&mut *self.0.lock());
        old.are_stale.store(true, Ordering::Release);
    }

    fn block(&self, start: Seq) -> Arc<Block> {
        let pages = &mut *self.0.lock();
        let blocks = &mut pages.blocks;
        if let Some(block) = blocks.get(&start).and_then(Weak::upgrade) {
            return block;
        }
        if blocks.len() >= CROWD {
            blocks.retain(|_, block| block.strong_count() > 0);
        }
        let block = Arc::new(Block {
            page: OnceCell::new(),
            is_stale: Arc::clone(&pages.are_stale),
        });
        blocks.insert(start, Arc::downgrade(&block));
        block
    }

    fn discard(&self, start: Seq, stale: &Arc<Block>) {
        let blocks = &mut self.0.lock().blocks;
        if blocks
            .get(&start)
            .is_some_and(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(stale)))
        {
            blocks.remove(&start);
        }
    }
}

/// What came of reading for a session.
#[derive(Debug)]
pub(crate) enum Read {
    /// The block has the next event.
    Block(Arc<Block>),
    /// The next event has been pruned, or is lost.
    Pruned,
    /// The log lives another life than the session. The room has been told.
    OtherEpoch,
}

/// A read under way. It goes on when the session does not wait for a while, on the hub's runtime,
/// and ends with the session, or with the room (`None`).
pub(crate) type Reading = AbortOnDropHandle<Option<Read>>;

/// Starts to read the block that has the event after `at`.
pub(crate) fn read(room: &Arc<Room>, at: Mark) -> Reading {
    let task = read_block(Arc::clone(room), at.epoch, at.seq);
    let task = room.token.clone().run_until_cancelled_owned(task);
    let context = &room.context;
    AbortOnDropHandle::new(context.tasks.spawn_on(task, &context.runtime))
}

async fn read_block(room: Arc<Room>, epoch: Epoch, seq: Seq) -> Read {
    let size = Seq::try_from(room.context.config.page_events).unwrap_or(Seq::MAX);
    let start = seq - seq % size.max(1);
    let mut backoff = Backoff::for_log();
    let mut vain_reads = 0;
    loop {
        let block = room.backlog.block(start);
        let reader = &room.context.reader;
        match block
            .page
            .get_or_try_init(|| reader.backlog(room.id, start))
            .await
        {
            Ok(page) if page.head.epoch != epoch => {
                room.verify();
                sleep(backoff.pause()).await;
                room.backlog.discard(start, &block);
                return Read::OtherEpoch;
            }
            Ok(_) if block.from(seq + 1).is_some() => return Read::Block(block),
            Ok(page) if page.head.pruned_seq > seq => return Read::Pruned,
            // Read by another session before the event existed.
            Ok(_) => room.backlog.discard(start, &block),
            Err(ReadError::Hole(_)) => vain_reads += 1,
            Err(ReadError::NotFound) => room.verify(),
            Err(ReadError::Unavailable) => {}
        }
        if vain_reads >= VAIN_READS {
            return Read::Pruned;
        }
        sleep(backoff.pause()).await;
    }
}

//! The task of a room that has fallen behind: it reads what is missing from the log.
//!
//! There is at most one per room. It never gives up while the room lives, except on events that
//! were announced but are not in the log, or that the log has lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until};
use wire::Seq;

use crate::backoff::Backoff;
use crate::reader::ReadError;
use crate::room::{Room, Work};
use crate::window::{Effect, Mark, Window};

/// After how many reads in vain something is believed not to be there.
const VAIN_READS: u32 = 5;
/// Between two questions for the head when the answer contradicts what was delivered.
const SECOND_THOUGHTS: Duration = Duration::from_millis(100);

struct CatchUp {
    room: Arc<Room>,
    backoff: Backoff,
    /// The log's head, as far as a read has shown it.
    log_head: Seq,
    vain_reads: u32,
    in_gap: bool,
}

pub(crate) async fn run(room: Arc<Room>) {
    let mut task = CatchUp {
        room,
        backoff: Backoff::for_log(),
        log_head: 0,
        vain_reads: 0,
        in_gap: false,
    };
    loop {
        match task.room.next_work(task.log_head) {
            Work::Rest => return,
            Work::WaitUntil(due) => sleep_until(due).await,
            Work::Verify(mark) => task.verify(mark).await,
            Work::Read(mark) => task.read(mark).await,
        }
    }
}

impl CatchUp {
    async fn verify(&mut self, asked: Mark) {
        let room = &self.room;
        let effect = match room.context.reader.head(room.id).await {
            Ok(head) => room.observe(head, asked),
            Err(ReadError::NotFound) => room.change(Window::observe_nothing),
            Err(ReadError::Unavailable | ReadError::Hole(_)) => {
                room.verify();
                return sleep(self.backoff.pause()).await;
            }
        };
        self.backoff.reset();
        if effect.verify {
            sleep(SECOND_THOUGHTS).await;
        }
    }

    async fn read(&mut self, asked: Mark) {
        let room = &self.room;
        let stats = &room.context.stats;
        if !std::mem::replace(&mut self.in_gap, true) {
            stats.gap_fills.add(1);
        }
        let page = match room.context.reader.gap(room.id, asked.seq).await {
            Ok(page) => page,
            Err(ReadError::Hole(head)) => {
                return self.in_vain(asked, |window| window.skip(head)).await;
            }
            Err(ReadError::NotFound) => {
                room.verify();
                return;
            }
            Err(ReadError::Unavailable) => return sleep(self.backoff.pause()).await,
        };
        let log_head = page.head.last_seq;
        stats.gap_events.count(page.events.len());
        let effect = room.change(|window| window.fill(page, asked));
        let Some(here) = room.look(Window::mark) else {
            return;
        };
        if here == asked && !effect.verify {
            // Announced, but not in the log.
            return self.in_vain(asked, Window::forget_announced).await;
        }
        self.backoff.reset();
        self.vain_reads = 0;
        self.log_head = log_head;
        self.in_gap = here.seq < log_head;
        if self.in_gap {
            sleep(room.context.config.fill_pause).await;
        }
    }

    /// Tries again a few times, then gives up by `give_up`, unless the room has moved meanwhile.
    async fn in_vain(&mut self, asked: Mark, give_up: impl FnOnce(&mut Window) -> Effect) {
        self.vain_reads += 1;
        if self.vain_reads < VAIN_READS {
            sleep(self.backoff.pause()).await;
            return;
        }
        self.vain_reads = 0;
        tracing::error!(restaurant = %self.room.id, after = asked.seq, "gave up on events that the log does not have");
        self.room.change(|window| {
            if window.mark() == asked {
                give_up(window)
            } else {
                Effect::default()
            }
        });
    }
}

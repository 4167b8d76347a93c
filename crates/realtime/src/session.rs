//! A session: a cursor into its room.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use bytestring::ByteString;
use smallvec::SmallVec;
use wire::Position;
use wire::live::frames::{CloseCode, ResyncReason};

use crate::backlog::{self, Block, Read, Reading};
use crate::filter::Filter;
use crate::room::{Pulled, Room};
use crate::seats::{Closing, Seat, SessionInfo};
use crate::window::{Mark, Window};

/// Somebody who follows a restaurant.
///
/// It has no queue. It has a place in the log, and takes what comes after it from the room's ring
/// of recent events or, when it stands before those, from pages of the log. So a session that is
/// slow holds no frames: it merely stands further back. Dropping it leaves the room.
pub struct Session {
    room: Arc<Room>,
    seat: Arc<Seat>,
    filter: Filter,
    /// Up to which bulletin it has read; `None` when it wants none.
    bulletins: Option<u64>,
    at: Mark,
    block: Option<Arc<Block>>,
    reading: Option<Reading>,
}

/// Frames, in order. Most of the time there is one.
pub type Frames = SmallVec<[ByteString; 1]>;

/// What a session gets next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pull {
    /// Frames to send, in this order; at least one.
    Frames(Frames),
    /// What comes next cannot be told: the stream goes on after `position`.
    Resync {
        /// Why.
        reason: ResyncReason,
        /// After which event the stream goes on.
        position: Position,
    },
    /// A bulletin, which is no part of the log ([`crate::Hub::post`]).
    Bulletin(ByteString),
    /// The session has to end. Every further pull says the same.
    Close(Closing),
}

impl Session {
    /// A session on a seat that has been taken in a room, following it from now on.
    pub(crate) fn new(room: Arc<Room>, seat: Arc<Seat>, filter: Filter, bulletins: bool) -> Self {
        room.context.stats.sessions.add(1);
        Self {
            at: room.look(Window::mark).unwrap_or(Mark::START),
            room,
            seat,
            filter,
            bulletins: bulletins.then_some(0),
            block: None,
            reading: None,
        }
    }

    pub(crate) fn start_at(&mut self, mark: Mark) {
        self.at = mark;
    }

    /// Waits for what comes next.
    ///
    /// Cancel-safe: nothing is lost when the future is dropped before it is ready, and a read of
    /// the log that it waited for goes on. While the log cannot be read it waits.
    pub async fn next(&mut self) -> Pull {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for those who poll.
    pub fn poll_next(&mut self, cx: &mut TaskContext<'_>) -> Poll<Pull> {
        self.seat.register(cx.waker());
        loop {
            if let Some(closing) = self.seat.closing() {
                return Poll::Ready(Pull::Close(closing));
            }
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                match read {
                    Ok(Some(Read::Block(block))) => self.block = Some(block),
                    Ok(Some(Read::Pruned)) => return Poll::Ready(self.skip_pruned()),
                    Ok(Some(Read::OtherEpoch)) => {}
                    // The room has ended, or the hub's runtime.
                    Ok(None) | Err(_) => {
                        self.seat.close(Closing {
                            code: CloseCode::GoingAway,
                            reconnect_after: None,
                        });
                        continue;
                    }
                }
            }
            if let Some(pull) = self.pull_from_block() {
                return Poll::Ready(pull);
            }
            let bulletins = self.bulletins.as_mut();
            match self.room.pull(&mut self.at, &self.filter, bulletins) {
                Pulled::Nothing => return Poll::Pending,
                Pulled::Bulletin(text) => return Poll::Ready(Pull::Bulletin(text)),
                Pulled::Frames(frames) => return Poll::Ready(self.delivered(frames)),
                Pulled::Renewed(reason) => return Poll::Ready(self.resync(reason)),
                Pulled::Behind => {
                    self.reading = Some(backlog::read(&self.room, self.at));
                }
            }
        }
    }

    /// Up to where this session has been served: everything up to here was handed out, or is
    /// nothing that it may or wants to hear.
    #[must_use]
    pub fn position(&self) -> Position {
        self.at.position()
    }

    /// Moves its place over what it may or wants not to hear, as far as that is known: it is not woken
    /// for that.
    pub fn move_on(&mut self) {
        if self.block.is_none() && self.reading.is_none() {
            self.room.move_on(&mut self.at, &self.filter);
        }
    }

    /// Goes on after a snapshot that was taken at `position`, which may be ahead of the room.
    ///
    /// `false` means that the snapshot is of another life of the log than the stream, and cannot
    /// be joined to it: the stream will say so by a resync, after which another snapshot fits.
    #[must_use]
    pub fn skip_to(&mut self, position: Position) -> bool {
        if position.epoch != self.at.epoch {
            self.room.verify();
            return false;
        }
        self.at.seq = self.at.seq.max(position.seq);
        true
    }

    /// What others see of it.
    #[must_use]
    pub fn info(&self) -> SessionInfo {
        self.seat.info
    }

    fn pull_from_block(&mut self) -> Option<Pull> {
        let config = &self.room.context.config;
        while let Some(events) = self.block.as_ref()?.from(self.at.seq + 1) {
            let frames = self.filter.gather(events, config, &mut self.at.seq);
            if !frames.is_empty() {
                return Some(self.delivered(frames));
            }
        }
        self.block = None;
        None
    }

    fn delivered(&self, frames: Frames) -> Pull {
        self.room.context.stats.frames_delivered.count(frames.len());
        Pull::Frames(frames)
    }

    fn skip_pruned(&mut self) -> Pull {
        if let Some(here) = self.room.look(Window::mark) {
            self.at = here;
        }
        self.resync(ResyncReason::Pruned)
    }

    fn resync(&self, reason: ResyncReason) -> Pull {
        self.room.context.stats.resyncs.add(reason);
        Pull::Resync {
            reason,
            position: self.at.position(),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.room.leave(&self.seat);
        self.room.context.stats.sessions.add(-1);
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("info", &self.seat.info)
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

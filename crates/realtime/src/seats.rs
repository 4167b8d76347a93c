//! The sessions of a room, as the room sees them: whom to wake, and whom to send away.

use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::RwLock;
use tokio::time::Instant;
use wire::live::frames::CloseCode;
use wire::{Audience, RestaurantId, SessionId, UserId};

use crate::dispatch::{Dispatcher, Row};

/// Whose session it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The account; `None` for the public.
    pub user_id: Option<UserId>,
    /// The device's login.
    pub session_id: Option<SessionId>,
}

/// What is known of a session from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its number on this worker.
    pub id: u64,
    /// What it follows.
    pub restaurant_id: RestaurantId,
    /// What it may hear of that.
    pub audience: Audience,
    /// Whose it is.
    pub who: Who,
}

/// Why and how a session is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The code of the close frame.
    pub code: CloseCode,
    /// After which time the client is asked to come back, so that not all come at once.
    pub reconnect_after: Option<Duration>,
}

/// A session's place in its room. The session waits here for frames and for its dismissal alike.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) info: SessionInfo,
    waker: AtomicWaker,
    closing: OnceLock<Closing>,
}

impl Seat {
    pub(crate) fn new(info: SessionInfo) -> Self {
        Self {
            info,
            waker: AtomicWaker::new(),
            closing: OnceLock::new(),
        }
    }

    /// Has to come before looking for news, so that none falls between looking and sleeping.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub(crate) fn wake(&self) {
        self.waker.wake();
    }

    /// Sends the session away, unless that has been done. The first reason stands.
    pub(crate) fn close(&self, closing: Closing) -> bool {
        let first = self.closing.set(closing).is_ok();
        self.waker.wake();
        first
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        self.closing.get().copied()
    }
}

/// All seats of a room, by the runtimes on which their sessions live.
///
/// Waking is a walk over the seats that takes each sleeper's waker; a session that has not looked
/// since it was last woken has none, so a burst of events wakes each session once. (A
/// `tokio::sync::Notify` or `watch` would queue and unqueue every session under a lock each time
/// it waits.)
pub(crate) struct Seats(RwLock<Taken>);

struct Taken {
    rows: Vec<Arc<Row>>,
    empty_since: Instant,
    closed: bool,
}

impl Seats {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(Taken {
            rows: Vec::new(),
            empty_since: Instant::now(),
            closed: false,
        }))
    }

    /// Fails when the room has been closed: then there is, or will be, another one.
    pub(crate) fn take(&self, seat: Arc<Seat>, dispatcher: Arc<Dispatcher>) -> bool {
        let mut taken = self.0.write();
        if taken.closed {
            return false;
        }
        let known = taken
            .rows
            .iter()
            .find(|row| Arc::ptr_eq(&row.dispatcher, &dispatcher));
        if let Some(row) = known {
            row.add(seat);
        } else {
            let row = Row::new(dispatcher);
            row.add(seat);
            taken.rows.push(Arc::new(row));
        }
        true
    }

    pub(crate) fn leave(&self, id: u64) {
        let mut taken = self.0.write();
        let row = taken.rows.iter().position(|row| row.remove(id));
        if let Some(row) = row.filter(|row| taken.rows.get(*row).is_some_and(|row| row.is_empty()))
        {
            taken.rows.swap_remove(row);
        }
        if taken.rows.is_empty() {
            taken.empty_since = Instant::now();
        }
    }

    pub(crate) fn wake_all(&self) {
        self.0.read().rows.iter().for_each(Row::wake);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.read().rows.iter().map(|row| row.len()).sum()
    }

    pub(crate) fn close(&self) {
        self.0.write().closed = true;
    }

    /// Closes the room unless somebody is in it or was a short while ago.
    pub(crate) fn close_if_empty_for(&self, idle: Duration) -> bool {
        let mut taken = self.0.write();
        taken.closed |= taken.rows.is_empty() && taken.empty_since.elapsed() >= idle;
        taken.closed
    }

    pub(crate) fn collect(&self) -> Vec<Arc<Seat>> {
        let mut seats = Vec::new();
        self.0
            .read()
            .rows
            .iter()
            .for_each(|row| row.collect(&mut seats));
        seats
    }
}

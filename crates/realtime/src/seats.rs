//! The sessions of a room, as the room sees them: whom to wake, and whom to send away.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::RwLock;
use tokio::time::Instant;
use wire::live::frames::CloseCode;
use wire::{Audience, RestaurantId, RootId, SessionId, UserId};

use crate::bulletins::Readers;
use crate::dispatch::{Dispatcher, Row};
use crate::trails::Call;

/// Whose session it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The account; `None` for the public.
    pub user_id: Option<UserId>,
    /// The device's login.
    pub session_id: Option<SessionId>,
    /// What is held without an account, and what tells its secret from others.
    pub holds: Option<(RootId, u64)>,
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
    /// What it follows by itself, if it is no more than that.
    pub(crate) roots: Box<[RootId]>,
    waker: AtomicWaker,
    closing: OnceLock<Closing>,
}

impl Seat {
    pub(crate) fn new(info: SessionInfo, roots: Box<[RootId]>) -> Self {
        Self {
            info,
            roots,
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

/// All seats of a room: those of staff and of the public by the runtimes on which their sessions
/// live, and the others by what they follow, of which few follow the same.
///
/// Waking is a walk over the seats that takes each sleeper's waker; a session that has not looked
/// since it was last woken has none, so a burst of events wakes each session once. (A
/// `tokio::sync::Notify` or `watch` would queue and unqueue every session under a lock each time
/// it waits.)
pub(crate) struct Seats(RwLock<Taken>);

struct Taken {
    rows: Vec<Arc<Row>>,
    /// Those who follow things of their own, by their numbers.
    own: HashMap<u64, Arc<Seat>>,
    by_root: HashMap<RootId, Vec<Arc<Seat>>>,
    empty_since: Instant,
    closed: bool,
}

impl Seats {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(Taken {
            rows: Vec::new(),
            own: HashMap::new(),
            by_root: HashMap::new(),
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
        let audience = seat.info.audience;
        if audience == Audience::Own {
            for root in &seat.roots {
                let seats = taken.by_root.entry(*root).or_default();
                seats.push(Arc::clone(&seat));
            }
            taken.own.insert(seat.info.id, seat);
            return true;
        }
        let known = taken
            .rows
            .iter()
            .find(|row| row.audience == audience && Arc::ptr_eq(&row.dispatcher, &dispatcher));
        if let Some(row) = known {
            row.add(seat);
        } else {
            let row = Row::new(dispatcher, audience);
            row.add(seat);
            taken.rows.push(Arc::new(row));
        }
        true
    }

    pub(crate) fn leave(&self, id: u64) {
        let taken = &mut *self.0.write();
        if let Some(seat) = taken.own.remove(&id) {
            for root in &seat.roots {
                if let Some(seats) = taken.by_root.get_mut(root) {
                    seats.retain(|other| other.info.id != id);
                    if seats.is_empty() {
                        taken.by_root.remove(root);
                    }
                }
            }
        }
        let row = taken.rows.iter().position(|row| row.remove(id));
        if let Some(row) = row.filter(|row| taken.rows.get(*row).is_some_and(|row| row.is_empty()))
        {
            taken.rows.swap_remove(row);
        }
        if taken.is_empty() {
            taken.empty_since = Instant::now();
        }
    }

    /// Wakes those who have to look for news.
    pub(crate) fn wake(&self, call: &Call) {
        let taken = self.0.read();
        let (public, roots) = match call {
            Call::All => (true, None),
            Call::Some { public, roots } => (*public, Some(roots)),
        };
        let heard = |row: &&Arc<Row>| public || row.audience != Audience::Public;
        taken.rows.iter().filter(heard).for_each(Row::wake);
        match roots {
            None => taken.own.values().for_each(|seat| seat.wake()),
            Some(roots) => {
                let seats = roots.iter().filter_map(|root| taken.by_root.get(root));
                seats.flatten().for_each(|seat| seat.wake());
            }
        }
    }

    /// Wakes those who read a bulletin.
    pub(crate) fn wake_readers(&self, readers: Readers) {
        let taken = self.0.read();
        let audience = match readers {
            Readers::Staff => Audience::Staff,
            Readers::Public => Audience::Public,
            Readers::Own(root) => {
                let seats = taken.by_root.get(&root).into_iter().flatten();
                return seats.for_each(|seat| seat.wake());
            }
        };
        let rows = taken.rows.iter().filter(|row| row.audience == audience);
        rows.for_each(Row::wake);
    }

    pub(crate) fn count(&self) -> usize {
        let taken = self.0.read();
        taken.own.len() + taken.rows.iter().map(|row| row.len()).sum::<usize>()
    }

    pub(crate) fn close(&self) {
        self.0.write().closed = true;
    }

    /// Closes the room unless somebody is in it or was a short while ago.
    pub(crate) fn close_if_empty_for(&self, idle: Duration) -> bool {
        let mut taken = self.0.write();
        taken.closed |= taken.is_empty() && taken.empty_since.elapsed() >= idle;
        taken.closed
    }

    pub(crate) fn collect(&self) -> Vec<Arc<Seat>> {
        let taken = self.0.read();
        let mut seats: Vec<_> = taken.own.values().map(Arc::clone).collect();
        taken.rows.iter().for_each(|row| row.collect(&mut seats));
        seats
    }
}

impl Taken {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.own.is_empty()
    }
}

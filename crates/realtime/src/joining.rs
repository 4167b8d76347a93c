//! Joining: opening the room if need be, and finding the place to begin.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout;
use wire::live::events::EventKind;
use wire::live::frames::ResyncReason;
use wire::{Epoch, Position, RestaurantId, Seq};

use crate::filter::{Filter, Hears};
use crate::hub::{Hub, Inner};
use crate::reader::ReadError;
use crate::room::{Opened, Room};
use crate::seats::{Seat, SessionInfo, Who};
use crate::session::Session;
use crate::window::{Mark, Window};

/// Who wants to follow what, and from where.
#[derive(Clone, Debug)]
pub struct Join {
    /// What to follow.
    pub restaurant_id: RestaurantId,
    /// What may be heard of it.
    pub hears: Hears,
    /// Only these kinds of events; `None` for all.
    pub kinds: Option<Vec<EventKind>>,
    /// From where.
    pub since: Since,
    /// Whether to hear bulletins ([`Hub::post`]) beside the log.
    pub bulletins: bool,
    /// Whose session it is.
    pub who: Who,
}

/// From where to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From now on.
    Head,
    /// From where the client has been.
    Position(Position),
    /// The same, but the client did not say in which epoch it counted.
    WithoutEpoch(Seq),
}

/// What a session begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The life of the log.
    pub epoch: Epoch,
    /// The head. The stream goes on after the client's own position if it was resumed, otherwise
    /// after this.
    pub head: Seq,
    /// Whether the session goes on where the client has been.
    pub resumed: bool,
    /// Why not, if the client asked for it: it has to take a snapshot.
    pub resync: Option<ResyncReason>,
}

/// Why nobody can join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The log knows no such restaurant.
    #[error("no such restaurant")]
    NotFound,
    /// The log cannot be read now.
    #[error("the event log cannot be read now")]
    Unavailable,
    /// This worker is going away.
    #[error("this worker is going away")]
    Draining,
}

impl Hub {
    /// Follows a restaurant.
    ///
    /// # Errors
    /// When there is no such restaurant, when the log cannot be read, or when the hub drains.
    pub async fn join(&self, join: Join) -> Result<(Session, Opening), JoinError> {
        let within = self.inner.context.config.join_timeout;
        match timeout(within, self.inner.join(join)).await {
            Ok(joined) => joined,
            Err(_elapsed) => Err(JoinError::Unavailable),
        }
    }
}

impl Inner {
    async fn join(self: &Arc<Self>, join: Join) -> Result<(Session, Opening), JoinError> {
        let info = SessionInfo {
            id: self.next_session(),
            restaurant_id: join.restaurant_id,
            audience: join.hears.audience(),
            who: join.who,
        };
        let seat = Arc::new(Seat::new(info, join.hears.roots().into()));
        let filter = Filter::new(join.hears, join.kinds);
        let room = self.take_seat(&seat).await?;
        // From here on the room stays, and dropping the session leaves it.
        let mut session = Session::new(Arc::clone(&room), seat, filter, join.bulletins);
        // A drain that did not see the seat has set the flag before.
        if self.draining.load(Ordering::SeqCst) {
            return Err(JoinError::Draining);
        }
        self.catch_up_with(&room, join.since).await?;
        let (mark, opening) = room
            .look(|window| place(window, join.since))
            .ok_or(JoinError::Unavailable)?;
        session.start_at(mark);
        let stats = &self.context.stats;
        stats.resumes.add(u64::from(opening.resumed));
        if let Some(reason) = opening.resync {
            stats.resyncs.add(reason);
        }
        Ok((session, opening))
    }

    async fn take_seat(self: &Arc<Self>, seat: &Arc<Seat>) -> Result<Arc<Room>, JoinError> {
        loop {
            if self.draining.load(Ordering::SeqCst) {
                return Err(JoinError::Draining);
            }
            let room = self.room_or_open(seat.info.restaurant_id);
            room.until_opened().await?;
            if room.take(seat) {
                return Ok(room);
            }
            // It was closed for want of sessions just now: there will be another one.
            self.discard(&room);
        }
    }

    fn room_or_open(self: &Arc<Self>, restaurant: RestaurantId) -> Arc<Room> {
        if let Some(room) = self.room(restaurant) {
            return room;
        }
        let mut rooms = self.rooms.write();
        match rooms.entry(restaurant) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(place) => {
                let room = Arc::new(Room::new(
                    restaurant,
                    self.bus.part_of(restaurant),
                    Arc::clone(&self.context),
                ));
                place.insert(Arc::clone(&room));
                self.context.stats.rooms.add(1);
                // A task of its own, since whoever came first may leave before it is done.
                let open = Arc::clone(self).open(Arc::clone(&room));
                self.context.spawn(&self.context.token, open);
                room
            }
        }
    }

    /// Subscribe, wait for the confirmation, read the log's end: what commits in between arrives
    /// by both ways or is in the log, never neither.
    async fn open(self: Arc<Self>, room: Arc<Room>) {
        // Without confirmation the comparison with the log stands in until the bus is up.
        let _subscribed = self.bus.subscribe(room.id).await;
        let events = self.context.config.opening_events;
        let failed = match self.context.reader.tail(room.id, events).await {
            Ok(page) => return room.go_live(page),
            Err(ReadError::NotFound) => JoinError::NotFound,
            Err(ReadError::Unavailable | ReadError::Hole(_)) => JoinError::Unavailable,
        };
        self.discard(&room);
        room.opened.send_replace(Opened::Failed(failed));
    }

    /// Asks the log for its head when a client has been further than this room: it may have been
    /// served by a worker that is ahead of this one.
    async fn catch_up_with(&self, room: &Arc<Room>, since: Since) -> Result<(), JoinError> {
        let Since::Position(since) = since else {
            return Ok(());
        };
        let beyond = |window: &Window| {
            let here = window.mark();
            let ahead = since.epoch == here.epoch && since.seq > window.known_head();
            (ahead || since.epoch > here.epoch).then(|| window.mark())
        };
        if let Some(asked) = room.look(beyond).flatten() {
            match self.context.reader.head(room.id).await {
                Ok(head) => _ = room.observe(head, asked),
                Err(ReadError::NotFound) => return Err(JoinError::NotFound),
                Err(_) => return Err(JoinError::Unavailable),
            }
        }
        Ok(())
    }
}

impl Room {
    async fn until_opened(&self) -> Result<(), JoinError> {
        let mut opened = self.opened.subscribe();
        loop {
            match *opened.borrow_and_update() {
                Opened::NotYet => {}
                Opened::Open => return Ok(()),
                Opened::Failed(error) => return Err(error),
            }
            tokio::select! {
                _ = opened.changed() => {}
                () = self.context.token.cancelled() => return Err(JoinError::Draining),
            }
        }
    }
}

/// A position can be resumed iff it is of this life of the log, not beyond its head, and nothing
/// after it has been pruned. (What has been pruned since the room last saw the head is found when
/// the session reads it.)
fn place(window: &Window, since: Since) -> (Mark, Opening) {
    let here = window.mark();
    let resync = match since {
        Since::Head => None,
        Since::WithoutEpoch(_) => Some(ResyncReason::EpochMissing),
        Since::Position(since) if since.epoch != here.epoch => Some(ResyncReason::EpochChanged),
        Since::Position(since) if since.seq > window.known_head() => Some(ResyncReason::AheadOfLog),
        Since::Position(since) if since.seq < window.pruned() => Some(ResyncReason::Pruned),
        Since::Position(_) => None,
    };
    let resumed = match since {
        Since::Position(since) if resync.is_none() => Some(since.seq),
        _ => None,
    };
    let seq = resumed.unwrap_or(here.seq);
    let opening = Opening {
        epoch: here.epoch,
        head: here.seq.max(seq),
        resumed: resumed.is_some(),
        resync,
    };
    (Mark { seq, ..here }, opening)
}

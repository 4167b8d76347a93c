//! A room: one restaurant's live end on this worker, and the sessions that follow it.
//!
//! There is one room per restaurant, not one per restaurant and audience: staff and public are
//! filters over the same cursor and the same ring. Sequences are per restaurant, so a room of its
//! own for the public would see numbers with holes and could not tell a hole from a loss; here
//! completeness is proved once, before the filter.

use std::sync::Arc;

use bytestring::ByteString;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::live::frames::{CloseCode, ResyncReason};
use wire::{Audience, Epoch, RestaurantId, Seq};

use crate::backlog::Backlog;
use crate::bulletins::{Bulletins, Readers};
use crate::bus::Reach;
use crate::catch_up;
use crate::context::Context;
use crate::event::Commit;
use crate::filter::Filter;
use crate::joining::JoinError;
use crate::log::{Head, Page};
use crate::seats::{Closing, Seat, Seats};
use crate::session::Frames;
use crate::trails::{Call, Next, Trails};
use crate::window::{Effect, Mark, Window};

pub(crate) struct Room {
    pub(crate) id: RestaurantId,
    /// Which part of the bus carries it.
    part: usize,
    pub(crate) context: Arc<Context>,
    pub(crate) seats: Seats,
    pub(crate) backlog: Backlog,
    pub(crate) opened: watch::Sender<Opened>,
    /// Ends the room's tasks.
    pub(crate) token: CancellationToken,
    state: Mutex<State>,
}

/// How far the opening has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    NotYet,
    Open,
    Failed(JoinError),
}

struct State {
    phase: Phase,
    catching_up: bool,
    /// The log has to be asked for its head.
    verify: bool,
    /// The first event that is missing, and since when that has been known.
    missing: Option<(Seq, Instant)>,
    /// An event of which only the number was told: nobody will bring it.
    announced: Seq,
    bulletins: Bulletins,
    trails: Trails,
}

enum Phase {
    /// Commits that arrive before the log has been read.
    Opening(Vec<Arc<Commit>>),
    Live(Box<Window>),
}

/// What there is for a session.
pub(crate) enum Pulled {
    Nothing,
    Frames(Frames),
    Bulletin(ByteString),
    /// It stands before the recent events.
    Behind,
    /// It stood in another life of the log, and stands at the end of this one now.
    Renewed(ResyncReason),
}

/// What the catching up has to do next.
pub(crate) enum Work {
    Rest,
    Verify(Mark),
    WaitUntil(Instant),
    Read(Mark),
}

impl Room {
    pub(crate) fn new(id: RestaurantId, part: usize, context: Arc<Context>) -> Self {
        Self {
            id,
            part,
            token: context.token.child_token(),
            context,
            seats: Seats::new(),
            backlog: Backlog::default(),
            opened: watch::Sender::new(Opened::NotYet),
            state: Mutex::new(State {
                phase: Phase::Opening(Vec::new()),
                catching_up: false,
                verify: false,
                missing: None,
                announced: 0,
                bulletins: Bulletins::default(),
                trails: Trails::default(),
            }),
        }
    }

    /// Posts something that is not in the log and of which, for each key, only the latest counts.
    /// What is posted already is not news.
    pub(crate) fn post(&self, readers: Readers, key: ByteString, text: ByteString) {
        let is_news = self.state.lock().bulletins.post(readers, key, text);
        if is_news {
            self.seats.wake_readers(readers);
        }
    }

    /// Takes down what was posted for somebody.
    pub(crate) fn take_down(&self, readers: Readers) {
        self.state.lock().bulletins.take_down(readers);
    }

    /// Takes a seat, from which nothing is missed that comes from now on; not in a room that has
    /// been closed.
    pub(crate) fn take(&self, seat: &Arc<Seat>) -> bool {
        // Noted first: what comes before the seat is taken is found when its session looks.
        self.follow(seat);
        let taken = self.seats.take(Arc::clone(seat), self.context.dispatcher());
        if !taken {
            self.unfollow(seat);
        }
        taken
    }

    /// Gives a seat back.
    pub(crate) fn leave(&self, seat: &Seat) {
        self.seats.leave(seat.info.id);
        self.unfollow(seat);
    }

    fn follow(&self, seat: &Seat) {
        if seat.info.audience == Audience::Own {
            let state = &mut *self.state.lock();
            let here = match &state.phase {
                Phase::Opening(_) => Seq::MAX,
                Phase::Live(window) => window.mark().seq,
            };
            state.trails.follow(&seat.roots, here);
        }
    }

    fn unfollow(&self, seat: &Seat) {
        if seat.info.audience == Audience::Own {
            self.state.lock().trails.leave(&seat.roots);
        }
    }

    /// Goes live at the end of the log, with what has arrived while it was read.
    pub(crate) fn go_live(self: &Arc<Self>, page: Page) {
        let window = Window::open(&self.context.config, page);
        let held = {
            let state = &mut *self.state.lock();
            state.trails.begin_anew(window.mark().seq);
            match std::mem::replace(&mut state.phase, Phase::Live(Box::new(window))) {
                Phase::Opening(held) => held,
                Phase::Live(_) => Vec::new(),
            }
        };
        for commit in held {
            self.offer(&commit);
        }
        // What came after `held` was full, and hints, only left a mark in `verify`.
        self.change(|_| Effect::default());
        self.opened.send_replace(Opened::Open);
    }

    /// Takes a commit of this worker or of another one, however often and in whatever order.
    pub(crate) fn offer(self: &Arc<Self>, commit: &Arc<Commit>) {
        if let State {
            phase: Phase::Opening(held),
            verify,
            ..
        } = &mut *self.state.lock()
        {
            if held.len() < self.context.config.pending_events {
                held.push(Arc::clone(commit));
            } else {
                *verify = true;
            }
            return;
        }
        self.change(|window| window.offer(commit.epoch, &commit.events));
    }

    /// Takes the news that an event exists.
    pub(crate) fn hint(self: &Arc<Self>, epoch: Epoch, seq: Seq) {
        if self.look(|window| window.mark().epoch) == Some(epoch) {
            let announced = &mut self.state.lock().announced;
            *announced = seq.max(*announced);
        }
        self.change(|window| window.hint(epoch, seq));
    }

    /// How far the bus reaches for this room.
    pub(crate) fn reach(&self) -> Reach {
        self.context.reach_of(self.part)
    }

    /// Takes the news that something may have happened.
    pub(crate) fn verify(self: &Arc<Self>) {
        self.change(|_| Effect {
            verify: true,
            ..Effect::default()
        });
    }

    /// Takes a head that the log answered to a question asked at `asked`.
    pub(crate) fn observe(self: &Arc<Self>, head: Head, asked: Mark) -> Effect {
        self.change(|window| {
            let was_behind = window.is_behind();
            let effect = window.observe(head, asked);
            if effect.verify {
                tracing::error!(restaurant = %self.id, ?head, ?asked, "the log contradicts what was delivered");
                self.context.stats.head_contradicts.add(1);
            } else if !was_behind && window.is_behind() {
                self.context.stats.head_behind.add(1);
            }
            effect
        })
    }

    /// Takes a change to the window and sees to its consequences.
    pub(crate) fn change(self: &Arc<Self>, change: impl FnOnce(&mut Window) -> Effect) -> Effect {
        let (effect, call, catch_up) = {
            let state = &mut *self.state.lock();
            let Phase::Live(window) = &mut state.phase else {
                state.verify = true;
                return Effect::default();
            };
            let before = window.mark();
            let effect = change(window);
            let call = call(&mut state.trails, window, before);
            state.verify |= effect.verify;
            if effect.renewed {
                state.announced = 0;
            }
            let next = window.mark().seq + 1;
            if !window.is_behind() {
                state.missing = None;
            } else if state.missing.is_none_or(|(seq, _)| seq != next) {
                state.missing = Some((next, Instant::now()));
            }
            let catch_up = !state.catching_up && (state.verify || window.is_behind());
            state.catching_up |= catch_up;
            (effect, call, catch_up)
        };
        if effect.renewed {
            tracing::warn!(restaurant = %self.id, "the log began a new life or lost its end");
            self.context.stats.renewals.add(1);
            self.backlog.clear();
        }
        if effect.erased {
            self.backlog.forget();
        }
        if effect.gone {
            self.dismiss();
        } else if catch_up {
            let task = catch_up::run(Arc::clone(self));
            self.context.spawn(&self.token, task);
        }
        if effect.wake {
            self.seats.wake(&call);
        }
        effect
    }

    /// The restaurant is not in the log any more.
    fn dismiss(&self) {
        tracing::warn!(restaurant = %self.id, "the restaurant is gone");
        self.seats.close();
        self.token.cancel();
        for seat in self.seats.collect() {
            seat.close(Closing {
                code: CloseCode::Forbidden,
                reconnect_after: None,
            });
        }
    }

    /// What there is for a session that stands at `at`, which moves over what it gets and over what
    /// it does not want or may not hear. `bulletins` is up to which one it has read, if it wants any.
    pub(crate) fn pull(
        &self,
        at: &mut Mark,
        filter: &Filter,
        bulletins: Option<&mut u64>,
    ) -> Pulled {
        let state = self.state.lock();
        let bulletin = bulletins.and_then(|read| state.bulletins.next(filter.hears(), read));
        if let Some(text) = bulletin {
            return Pulled::Bulletin(text);
        }
        let Phase::Live(window) = &state.phase else {
            return Pulled::Nothing;
        };
        let here = window.mark();
        if at.generation != here.generation {
            let before = std::mem::replace(at, here);
            return Pulled::Renewed(if before.epoch == here.epoch {
                ResyncReason::AheadOfLog
            } else {
                ResyncReason::EpochChanged
            });
        }
        if at.seq >= here.seq {
            return Pulled::Nothing;
        }
        match state.trails.next(filter.hears(), at.seq) {
            Next::Nothing => {
                at.seq = here.seq;
                return Pulled::Nothing;
            }
            Next::At(seq) => at.seq = seq - 1,
            Next::Unknown => {}
        }
        let Some(events) = window.recent(at.seq + 1) else {
            return Pulled::Behind;
        };
        let frames = filter.gather(events, &self.context.config, &mut at.seq);
        if frames.is_empty() {
            Pulled::Nothing
        } else {
            Pulled::Frames(frames)
        }
    }

    /// Moves somebody who stands at `at` over what they do not hear, as far as that is known.
    pub(crate) fn move_on(&self, at: &mut Mark, filter: &Filter) {
        let state = self.state.lock();
        if let Phase::Live(window) = &state.phase {
            let here = window.mark();
            let is_behind = at.generation == here.generation && at.seq < here.seq;
            if is_behind && state.trails.next(filter.hears(), at.seq) == Next::Nothing {
                at.seq = here.seq;
            }
        }
    }

    /// Looks at the window, if the room is live.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Window) -> T) -> Option<T> {
        match &self.state.lock().phase {
            Phase::Opening(_) => None,
            Phase::Live(window) => Some(look(window)),
        }
    }

    /// What the catching up has to do next, of which the log's head is known to be `log_head`.
    pub(crate) fn next_work(&self, log_head: Seq) -> Work {
        let state = &mut *self.state.lock();
        let Phase::Live(window) = &state.phase else {
            state.catching_up = false;
            return Work::Rest;
        };
        if std::mem::take(&mut state.verify) {
            return Work::Verify(window.mark());
        }
        let Some((_, since)) = state.missing else {
            state.catching_up = false;
            return Work::Rest;
        };
        // While the bus is down nothing is on its way, and what the log has shown, or what was only
        // announced, need not be waited for.
        let patience = since + self.context.config.reorder_grace;
        let read_anyway = log_head.max(state.announced);
        let waiting = self.reach() != Reach::Down && window.mark().seq >= read_anyway;
        if waiting && Instant::now() < patience {
            Work::WaitUntil(patience)
        } else {
            Work::Read(window.mark())
        }
    }
}

/// Who has to look for news, where the log's end was at `before`.
fn call(trails: &mut Trails, window: &Window, before: Mark) -> Call {
    let here = window.mark();
    if here == before {
        return Call::All;
    }
    let next = window.recent(before.seq + 1);
    match next.filter(|_| here.generation == before.generation) {
        Some(events) => trails.note(events),
        // What came is not here any more, or it is another log.
        None => {
            trails.begin_anew(here.seq);
            Call::All
        }
    }
}

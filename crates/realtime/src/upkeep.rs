//! What the hub does by itself: comparing its rooms with the log, and closing empty ones.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff::Backoff;
use crate::bus::Reach;
use crate::context::Context;
use crate::hub::Inner;
use crate::reader::ReadError;
use crate::room::Room;
use crate::window::Window;

/// How many restaurants are asked about in one statement.
const HEADS_AT_ONCE: usize = 1000;

pub(crate) fn start(hub: &Arc<Inner>) {
    let context = &hub.context;
    let every = context.config.compare_every;
    #[cfg(feature = "faults")]
    let every =
        every.filter(|_| context.config.fault != Some(crate::faults::Fault::SkipHeadComparison));
    if let Some(every) = every {
        let task = compare(Arc::downgrade(hub), Arc::clone(context), every);
        context.spawn(&context.token, task);
    }
    context.spawn(
        &context.token,
        sweep(Arc::downgrade(hub), context.config.room_idle),
    );
}

/// Compares all rooms with the log: a message that was lost shows when a later one comes, the last
/// one only here. At once when the bus comes or goes; those that it does not wholly reach, often.
/// One question at a time, however long the log takes to answer.
async fn compare(hub: Weak<Inner>, context: Arc<Context>, every: Duration) {
    let mut backoff = Backoff::for_log();
    let mut failed = Duration::ZERO;
    let mut all_due = Instant::now() + every;
    loop {
        let due = if context.reach() == Reach::Full {
            all_due
        } else {
            all_due.min(Instant::now() + context.config.compare_every_when_down)
        };
        let all = tokio::select! {
            () = sleep_until(due.max(Instant::now() + failed)) => due == all_due,
            () = context.compare_now.notified() => true,
        };
        let Some(inner) = hub.upgrade() else { return };
        if all {
            all_due = Instant::now() + every;
        }
        let mut rooms = inner.all_rooms();
        rooms.retain(|room| all || room.reach() != Reach::Full);
        failed = match compare_rooms(&inner, &rooms).await {
            Ok(()) => {
                backoff.reset();
                Duration::ZERO
            }
            Err(_) => backoff.pause(),
        };
    }
}

async fn compare_rooms(hub: &Inner, rooms: &[Arc<Room>]) -> Result<(), ReadError> {
    for rooms in rooms.chunks(HEADS_AT_ONCE) {
        // Where each room stands before the question, to be fair to the answer.
        let asked: Vec<_> = rooms
            .iter()
            .filter_map(|room| Some((room, room.look(Window::mark)?)))
            .collect();
        if asked.is_empty() {
            continue;
        }
        let ids: Vec<_> = asked.iter().map(|(room, _)| room.id).collect();
        let heads = hub.context.reader.heads(&ids).await?;
        let heads: HashMap<_, _> = heads.into_iter().collect();
        for (room, mark) in asked {
            match heads.get(&room.id) {
                Some(head) => _ = room.observe(*head, mark),
                None => room.verify(),
            }
        }
    }
    Ok(())
}

/// Closes rooms that have been without sessions for a while.
async fn sweep(hub: Weak<Inner>, idle: Duration) {
    let every = (idle / 4).max(Duration::from_millis(10));
    loop {
        sleep(every).await;
        let Some(inner) = hub.upgrade() else { return };
        for room in inner.all_rooms() {
            if is_open(&room) && room.seats.close_if_empty_for(idle) {
                inner.discard(&room);
            }
        }
    }
}

fn is_open(room: &Room) -> bool {
    room.look(|_| ()).is_some()
}

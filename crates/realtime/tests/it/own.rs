//! Who follows a thing of its own: what it hears, and what it is not woken for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bytestring::ByteString;
use realtime::{Commit, Hears, Hub, Join, Own, Pull, Readers, Session, Told};
use uuid::Uuid;
use wire::RootId;
use wire::live::events::EventKind;

use crate::support::{HERE, Worker, at, config, expect_silence, frames, pull, request, try_join};

const MINE: RootId = RootId(Uuid::from_u128(11));
const THEIRS: RootId = RootId(Uuid::from_u128(12));

fn join_own(roots: &[RootId], since: realtime::Since) -> Join {
    Join {
        hears: Hears::Own(roots.into()),
        ..request(since)
    }
}

async fn follow(hub: &Hub, roots: &[RootId]) -> Session {
    let join = join_own(roots, realtime::Since::Head);
    try_join(hub, join).await.unwrap().0
}

fn told(roots: &[RootId], frame: &str) -> Option<Told> {
    Some(Told {
        roots: roots.into(),
        frame: ByteString::from(frame.to_owned()),
    })
}

/// How often somebody was woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Until nobody has anything to do any more: time stands still before that.
async fn expect_rest() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// Commits an event that concerns some things, and concerned others.
fn tell(worker: &Worker, now: &[RootId], left: &[RootId]) -> Commit {
    let commit = worker.log.append_own(HERE, |seq| Own {
        now: told(now, &format!("{{\"own\":{seq}}}")),
        left: told(left, &format!("{{\"left\":{seq}}}")),
    });
    worker.hub.committed(commit.clone());
    commit
}

#[tokio::test(start_paused = true)]
async fn it_hears_of_its_own_things_and_of_nothing_else() {
    let worker = Worker::with_events(3);
    let mut mine = follow(&worker.hub, &[MINE]).await;
    let mut both = follow(&worker.hub, &[MINE, THEIRS]).await;
    tell(&worker, &[MINE], &[]);
    worker.hub.committed(worker.log.append(HERE, 2));
    tell(&worker, &[THEIRS], &[]);
    assert_eq!(frames(pull(&mut mine).await), ["{\"own\":4}"]);
    expect_silence(&mut mine).await;
    let heard: Vec<_> = [pull(&mut both).await]
        .into_iter()
        .flat_map(frames)
        .collect();
    assert_eq!(heard, ["{\"own\":4}", "{\"own\":7}"]);
    // A thing that goes from one to the other is told to both, once.
    tell(&worker, &[THEIRS], &[MINE]);
    assert_eq!(frames(pull(&mut mine).await), ["{\"left\":8}"]);
    assert_eq!(frames(pull(&mut both).await), ["{\"own\":8}"]);
    expect_silence(&mut mine).await;
    expect_silence(&mut both).await;
}

#[tokio::test(start_paused = true)]
async fn it_resumes_over_what_it_does_not_hear() {
    let worker = Worker::with_events(0);
    tell(&worker, &[MINE], &[]);
    worker.hub.committed(worker.log.append(HERE, 500));
    tell(&worker, &[THEIRS], &[MINE]);
    let join = join_own(&[MINE], at(1, 0));
    let (mut session, opening) = try_join(&worker.hub, join).await.unwrap();
    assert!(opening.resumed);
    let mut heard = Vec::new();
    while heard.len() < 2 {
        heard.extend(frames(pull(&mut session).await));
    }
    assert_eq!(heard, ["{\"own\":1}", "{\"left\":502}"]);
    expect_silence(&mut session).await;
    assert_eq!(session.position().seq, 502);
}

#[tokio::test(start_paused = true)]
async fn it_is_woken_for_nothing_else_and_does_not_age() {
    let mut config = config();
    config.ring_events = 16;
    let worker = Worker::start(config, 0);
    let mut mine = follow(&worker.hub, &[MINE]).await;
    tell(&worker, &[MINE], &[]);
    assert_eq!(frames(pull(&mut mine).await), ["{\"own\":1}"]);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut context = Context::from_waker(&waker);
    assert!(mine.poll_next(&mut context).is_pending());
    for _ in 0..200 {
        worker.hub.committed(worker.log.append(HERE, 1));
        tokio::task::yield_now().await;
    }
    expect_rest().await;
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    // What concerns it is found in the room's memory, although it was long ago that it looked.
    let reads = worker.log.reads.load(Ordering::Relaxed);
    tell(&worker, &[MINE], &[]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(frames(pull(&mut mine).await), ["{\"own\":202}"]);
    assert_eq!(worker.log.reads.load(Ordering::Relaxed), reads);
    worker.hub.committed(worker.log.append(HERE, 3));
    assert_eq!(mine.position().seq, 202);
    mine.move_on();
    assert_eq!(mine.position().seq, 205);
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_leaves_the_memory_is_read_from_the_log() {
    let mut config = config();
    config.ring_events = 8;
    let worker = Worker::start(config, 0);
    let mut mine = follow(&worker.hub, &[MINE]).await;
    for _ in 0..100 {
        tell(&worker, &[MINE], &[]);
        worker.hub.committed(worker.log.append(HERE, 1));
    }
    let mut heard = Vec::new();
    while heard.len() < 100 {
        heard.extend(frames(pull(&mut mine).await));
    }
    let expected: Vec<String> = (0..100)
        .map(|n| format!("{{\"own\":{}}}", 2 * n + 1))
        .collect();
    assert_eq!(heard, expected);
    expect_silence(&mut mine).await;
}

#[tokio::test(start_paused = true)]
async fn it_hears_its_own_bulletins() {
    let worker = Worker::with_events(1);
    let mut mine = follow(&worker.hub, &[MINE]).await;
    let mut staff = worker.follow().await;
    worker
        .hub
        .post(HERE, Readers::Own(THEIRS), "place", "4".into());
    worker
        .hub
        .post(HERE, Readers::Own(MINE), "place", "3".into());
    assert_eq!(pull(&mut mine).await, Pull::Bulletin("3".into()));
    expect_silence(&mut mine).await;
    expect_silence(&mut staff).await;
    worker.hub.take_down(HERE, Readers::Own(MINE));
    let mut later = follow(&worker.hub, &[MINE]).await;
    expect_silence(&mut later).await;
}

#[tokio::test(start_paused = true)]
async fn an_erasure_and_another_kind_are_no_news_to_it() {
    let worker = Worker::with_events(2);
    let mut mine = follow(&worker.hub, &[MINE]).await;
    worker.hub.committed(worker.log.erase(HERE));
    worker.hub.committed(
        worker
            .log
            .append_as(HERE, &[(EventKind::DishUpdated, true)]),
    );
    expect_silence(&mut mine).await;
    tell(&worker, &[MINE], &[]);
    assert_eq!(frames(pull(&mut mine).await), ["{\"own\":5}"]);
}

#[tokio::test(start_paused = true)]
async fn the_public_is_not_woken_for_what_staff_hears() {
    let worker = Worker::with_events(1);
    let join = Join {
        hears: Hears::Public,
        ..request(realtime::Since::Head)
    };
    let (mut public, _) = try_join(&worker.hub, join).await.unwrap();
    expect_silence(&mut public).await;
    worker.hub.committed(worker.log.append(HERE, 300));
    public.move_on();
    assert_eq!(public.position().seq, 301);
    worker.hub.committed(
        worker
            .log
            .append_as(HERE, &[(EventKind::DishUpdated, true)]),
    );
    assert_eq!(frames(pull(&mut public).await), ["{\"public\":302}"]);
}

//! The bus loses, doubles and reorders; sessions notice nothing of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use realtime::bus::{Hint, Incoming, Reach};
use testkit::wait::DEADLINE;
use tokio::time::Instant;

use crate::support::{HERE, Worker, at, config, epoch, expect, expect_silence, request, try_join};

fn hint(e: u128, seq: i64) -> Incoming {
    Incoming::Hint(Hint {
        restaurant_id: HERE,
        epoch: epoch(e),
        seq,
        committed_at_ms: 990,
    })
}

#[tokio::test(start_paused = true)]
async fn commits_of_two_workers_overtake_each_other() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    let (theirs, ours) = (worker.log.append(HERE, 2), worker.log.append(HERE, 1));
    let reads = worker.log.reads();
    worker.hub.committed(ours);
    tokio::task::yield_now().await;
    worker.bus.deliver(&theirs);
    expect(&mut session, &worker.log, 6..=8).await;
    expect_silence(&mut session).await;
    assert_eq!(worker.log.reads(), reads, "nothing had to be read");
    assert_eq!(worker.hub.stats().gap_fills.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_message_is_read_from_the_log_soon() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    let _lost = worker.log.append(HERE, 2);
    let start = Instant::now();
    worker.bus.deliver(&worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 6..=8).await;
    let took = start.elapsed();
    assert!(took < config().reorder_grace * 2, "{took:?}");
    expect_silence(&mut session).await;
    let stats = worker.hub.stats();
    assert_eq!((stats.gap_fills.get(), stats.gap_events.get()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn commits_that_go_on_coming_do_not_put_the_reading_off() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    let _lost = worker.log.append(HERE, 1);
    let start = Instant::now();
    while session.position().seq == 5 {
        worker.bus.deliver(&worker.log.append(HERE, 1));
        tokio::time::sleep(Duration::from_millis(1)).await;
        _ = session.next().now_or_never();
    }
    let took = start.elapsed();
    assert!(took < config().reorder_grace * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_again_is_dropped() {
    let worker = Worker::with_events(0);
    let mut session = worker.follow().await;
    let commits = [worker.log.append(HERE, 2), worker.log.append(HERE, 2)];
    for commit in [
        &commits[0],
        &commits[0],
        &commits[1],
        &commits[0],
        &commits[1],
    ] {
        worker.bus.deliver(commit);
    }
    expect(&mut session, &worker.log, 1..=4).await;
    worker.bus.deliver(&commits[1]);
    worker.hub.committed(commits[0].clone());
    expect_silence(&mut session).await;
    assert_eq!(worker.hub.stats().renewals.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_message_lost_is_found_by_comparison() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    _ = worker.log.append(HERE, 3);
    let start = Instant::now();
    expect(&mut session, &worker.log, 6..=8).await;
    assert!(start.elapsed() < config().compare_every.unwrap() * 2);
    assert_eq!(worker.hub.stats().head_behind.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_comparison_the_last_message_stays_lost() {
    let mut config = config();
    config.compare_every = None;
    let worker = Worker::start(config, 5);
    let mut session = worker.follow().await;
    _ = worker.log.append(HERE, 1);
    let waited = tokio::time::timeout(DEADLINE, session.next()).await;
    assert!(waited.is_err(), "the comparison is what finds it");
}

#[tokio::test(start_paused = true)]
async fn while_the_bus_is_down_the_log_is_asked_often() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    worker.bus.reach(Reach::Down);
    for round in 0..5 {
        let start = Instant::now();
        _ = worker.log.append(HERE, 2);
        let first = 6 + round * 2;
        expect(&mut session, &worker.log, first..=first + 1).await;
        assert!(start.elapsed() <= config().compare_every_when_down + Duration::from_millis(5));
    }
    assert_eq!(worker.hub.stats().bus_up.get(), 0);
    // Nothing is on its way, so there is nothing to wait for.
    _ = worker.log.append(HERE, 1);
    let start = Instant::now();
    worker.bus.say(hint(1, 16));
    expect(&mut session, &worker.log, 16..=16).await;
    assert!(start.elapsed().is_zero());
    // Missed at the very end of it, found at once when it is up again.
    _ = worker.log.append(HERE, 1);
    let start = Instant::now();
    worker.bus.reach(Reach::Full);
    expect(&mut session, &worker.log, 17..=17).await;
    assert!(start.elapsed() <= config().reorder_grace * 2);
}

/// The way is open, but somebody may be cut off: what is said is waited for, what is not is found.
#[tokio::test(start_paused = true)]
async fn while_a_worker_is_silent_the_log_is_asked_often() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    worker.bus.reach(Reach::Partial);
    assert_eq!(worker.hub.stats().bus_up.get(), 1);
    let start = Instant::now();
    _ = worker.log.append(HERE, 2);
    expect(&mut session, &worker.log, 6..=7).await;
    let most = config().compare_every_when_down + config().reorder_grace * 2;
    assert!(start.elapsed() <= most);
    let (theirs, ours) = (worker.log.append(HERE, 1), worker.log.append(HERE, 1));
    let reads = worker.log.reads();
    worker.hub.committed(ours);
    tokio::task::yield_now().await;
    worker.bus.deliver(&theirs);
    expect(&mut session, &worker.log, 8..=9).await;
    assert_eq!(worker.log.reads(), reads, "they only overtook each other");
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_only_announced_is_read_at_once() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    for last in 6..10 {
        _ = worker.log.append(HERE, 1);
        let start = Instant::now();
        worker.bus.say(hint(1, last));
        expect(&mut session, &worker.log, last..=last).await;
        assert!(start.elapsed().is_zero(), "nobody will bring the frame");
    }
}

/// All that a bus can do to the order of things, in one stream.
#[tokio::test(start_paused = true)]
async fn out_of_order_twice_with_a_wide_gap_and_from_before() {
    let worker = Worker::with_events(5);
    let mut old = worker.log.append(HERE, 1);
    worker.log.renew(HERE, epoch(2), 5);
    let mut session = worker.follow().await;
    let mut commits: Vec<_> = (0..40)
        .map(|n| worker.log.append(HERE, 1 + n % 3))
        .collect();
    let all = worker.log.head(HERE).last_seq;
    commits.reverse();
    for commit in &commits {
        worker.bus.deliver(commit);
        worker.bus.deliver(commit);
        // The same number, in a life that is over.
        old.events[0].seq = commit.events[0].seq;
        worker.bus.deliver(&old);
        worker.bus.say(hint(1, all + 99));
    }
    expect(&mut session, &worker.log, 6..=all).await;
    _ = worker.log.append(HERE, 10_000);
    let after = worker.log.append(HERE, 1);
    worker.bus.deliver(&after);
    worker.bus.deliver(&after);
    worker.bus.deliver(&commits[0]);
    expect(&mut session, &worker.log, all + 1..=all + 10_001).await;
    expect_silence(&mut session).await;
    let stats = worker.hub.stats();
    assert_eq!((stats.renewals.get(), stats.resyncs.total()), (0, 0));
    assert_eq!(stats.gap_fills.get(), 1, "only the wide gap was read");
}

#[tokio::test(start_paused = true)]
async fn a_gap_of_ten_thousand() {
    let worker = Worker::with_events(5);
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(worker.follow().await);
    }
    _ = worker.log.append(HERE, 10_000);
    worker.bus.deliver(&worker.log.append(HERE, 1));
    for session in &mut sessions {
        expect(session, &worker.log, 6..=10_006).await;
        expect_silence(session).await;
    }
    assert_eq!(worker.hub.stats().gap_fills.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_announced_event_is_read() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    _ = worker.log.append(HERE, 2);
    worker.bus.say(hint(1, 7));
    expect(&mut session, &worker.log, 6..=7).await;
    worker.bus.say(hint(1, 6));
    worker.bus.say(hint(0, 99));
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_nobody_can_read_leads_to_the_log() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    _ = worker.log.append(HERE, 2);
    let start = Instant::now();
    worker.bus.say(Incoming::Check(HERE));
    expect(&mut session, &worker.log, 6..=7).await;
    assert!(start.elapsed() <= config().reorder_grace * 2);
}

#[tokio::test(start_paused = true)]
async fn more_than_fits_beyond_a_gap() {
    let mut config = config();
    config.pending_events = 4;
    let worker = Worker::start(config, 0);
    let mut session = worker.follow().await;
    let commits: Vec<_> = (0..50).map(|_| worker.log.append(HERE, 1)).collect();
    for commit in commits[1..].iter().rev() {
        worker.bus.deliver(commit);
    }
    expect(&mut session, &worker.log, 1..=50).await;
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn the_log_may_be_away_for_long() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    worker.log.set_away(true);
    _ = worker.log.append(HERE, 2);
    worker.bus.deliver(&worker.log.append(HERE, 1));
    for _ in 0..60 {
        expect_silence(&mut session).await;
    }
    worker.log.set_away(false);
    worker.log.broken.store(true, Ordering::SeqCst);
    expect_silence(&mut session).await;
    worker.log.broken.store(false, Ordering::SeqCst);
    expect(&mut session, &worker.log, 6..=8).await;
    // One question at a time by the comparison, one by the room, each with pauses between.
    let questions = worker.log.questions();
    assert!(questions < 61 * 4, "{questions} questions in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_failed_is_asked_again() {
    let mut config = config();
    config.compare_every = None;
    let worker = Worker::start(config, 5);
    let mut session = worker.follow().await;
    _ = worker.log.append(HERE, 1);
    worker.log.set_away(true);
    worker.bus.say(Incoming::Check(HERE));
    expect_silence(&mut session).await;
    worker.log.set_away(false);
    expect(&mut session, &worker.log, 6..=6).await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_hangs_is_asked_once_at_a_time() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    worker.log.hold();
    let before = worker.log.questions();
    worker.bus.deliver(&{
        _ = worker.log.append(HERE, 1);
        worker.log.append(HERE, 1)
    });
    for _ in 0..20 {
        expect_silence(&mut session).await;
    }
    let asked = worker.log.questions() - before;
    assert!((2..=10).contains(&asked), "{asked} questions in 20 s");
    worker.log.let_go();
    expect(&mut session, &worker.log, 6..=7).await;
}

#[tokio::test(start_paused = true)]
async fn a_phantom_is_not_waited_for_forever() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    worker.bus.say(hint(1, 9));
    for _ in 0..10 {
        expect_silence(&mut session).await;
    }
    let questions = worker.log.reads();
    for _ in 0..10 {
        expect_silence(&mut session).await;
    }
    assert_eq!(worker.log.reads(), questions, "still reading");
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 6..=6).await;
}

#[tokio::test(start_paused = true)]
async fn a_hole_in_the_log_costs_a_resync_and_not_the_room() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    let commit = worker.log.append(HERE, 3);
    worker.log.lose(HERE, 7);
    worker.bus.say(hint(1, commit.range().unwrap().1));
    // What can be told is told, then comes the truth.
    let pull = crate::support::pull(&mut session).await;
    assert!(
        matches!(pull, realtime::Pull::Resync { position, .. } if position.seq == 8),
        "{pull:?}"
    );
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 9..=9).await;
    assert!(worker.hub.stats().log_holes.get() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_room_behind_what_was_pruned_goes_on() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    _ = worker.log.append(HERE, 20);
    worker.log.prune(HERE, 20);
    worker.bus.say(hint(1, 25));
    let pull = crate::support::pull(&mut session).await;
    assert!(
        matches!(pull, realtime::Pull::Resync { position, .. } if position.seq == 25),
        "{pull:?}"
    );
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 26..=26).await;
    let (_, opening) = try_join(&worker.hub, request(at(1, 19))).await.unwrap();
    assert!(opening.resync.is_some());
}

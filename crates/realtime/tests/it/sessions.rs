//! Sessions: slow ones, choosy ones, and those that look away.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use realtime::{Hears, Pull, Since};
use tokio::time::Instant;
use wire::Position;
use wire::live::events::EventKind;

use crate::support::{
    HERE, Worker, at, config, epoch, expect, expect_silence, frames, join, pull, request, try_join,
};

#[tokio::test(start_paused = true)]
async fn a_slow_session_reads_the_log_until_it_is_back() {
    let mut config = config();
    (config.ring_events, config.page_events) = (50, 20);
    let worker = Worker::start(config, 5);
    let mut slow = worker.follow().await;
    let mut quick = worker.follow().await;
    for n in 6..1006 {
        worker.hub.committed(worker.log.append(HERE, 1));
        expect(&mut quick, &worker.log, n..=n).await;
    }
    assert_eq!(worker.log.reads(), 0);
    expect(&mut slow, &worker.log, 6..=1005).await;
    expect_silence(&mut slow).await;
    let reads = worker.log.reads();
    assert!(
        (47..=49).contains(&reads),
        "{reads} pages of 20 for 950 events"
    );
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut slow, &worker.log, 1006..=1006).await;
    assert_eq!(worker.log.reads(), reads);
}

/// What comes in a burst reaches a crowd in a few writes; the first of it at once.
#[tokio::test(start_paused = true)]
async fn a_crowd_gets_a_burst_in_few_pieces() {
    let worker = Worker::start(config(), 0);
    let mut crowd = Vec::new();
    for _ in 0..200 {
        let mut session = worker.follow().await;
        crowd.push(tokio::spawn(async move {
            let (started, mut pieces) = (Instant::now(), Vec::new());
            let mut first = None;
            while pieces.iter().sum::<usize>() < 10 {
                pieces.push(frames(session.next().await).len());
                first.get_or_insert(started.elapsed());
            }
            (pieces, first)
        }));
    }
    tokio::task::yield_now().await;
    for _ in 0..10 {
        worker.hub.committed(worker.log.append(HERE, 1));
        // Time stands still as long as there is something to do.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    for heard in join_all(crowd).await {
        let (pieces, first) = heard.unwrap();
        assert_eq!(pieces, [1, 9]);
        assert_eq!(first, Some(Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn slow_sessions_share_their_pages() {
    let mut config = config();
    (config.ring_events, config.page_events) = (10, 20);
    let worker = Worker::start(config, 500);
    let mut sessions = Vec::new();
    for n in 0..100 {
        sessions.push((n % 20, worker.join(at(1, n % 20)).await.0));
    }
    join_all(sessions.iter_mut().map(|(since, session)| async {
        expect(session, &worker.log, *since + 1..=500).await;
    }))
    .await;
    let reads = worker.log.reads();
    // Alone, each would have read 25.
    assert!(
        reads <= 200,
        "{reads} pages of 20 for 100 sessions over 500 events"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_read_before_an_event_is_not_taken_for_the_end() {
    let mut config = config();
    (config.ring_events, config.page_events, config.batch_frames) = (2, 20, 3);
    let worker = Worker::start(config, 30);
    let (mut early, _) = worker.join(at(1, 20)).await;
    assert_eq!(frames(pull(&mut early).await).len(), 3);
    // Now it holds the page of 21 to 40, with what there was of it.
    worker.hub.committed(worker.log.append(HERE, 7));
    let (mut late, _) = worker.join(at(1, 31)).await;
    expect(&mut late, &worker.log, 32..=37).await;
    expect(&mut early, &worker.log, 24..=37).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_waits_for_a_log_that_is_away() {
    let mut config = config();
    config.opening_events = 5;
    let worker = Worker::start(config, 50);
    let (mut session, _) = worker.join(at(1, 10)).await;
    worker.log.set_away(true);
    expect_silence(&mut session).await;
    worker.hub.committed(worker.log.append(HERE, 1));
    expect_silence(&mut session).await;
    worker.log.set_away(false);
    expect(&mut session, &worker.log, 11..=51).await;
}

#[tokio::test(start_paused = true)]
async fn waiting_can_be_broken_off_at_any_time() {
    let mut config = config();
    (config.opening_events, config.batch_frames) = (5, 2);
    let worker = Worker::start(config, 50);
    let (mut session, _) = worker.join(at(1, 10)).await;
    worker.log.hold();
    let mut got = Vec::new();
    // A client that talks all the time: the server looks away again and again.
    while got.len() < 40 {
        match session.next().now_or_never() {
            Some(pull) => got.extend(frames(pull)),
            None => {
                worker.log.let_go();
                tokio::task::yield_now().await;
            }
        }
    }
    let expected: Vec<_> = (11..=50).map(|seq| worker.log.frame(HERE, seq)).collect();
    assert_eq!(got, expected);
    assert_eq!(worker.log.reads(), 1, "the read went on meanwhile");
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_does_not_age_the_position() {
    let worker = Worker::with_events(0);
    let mut tables = request(Since::Head);
    tables.kinds = Some(vec![EventKind::TableUpdated]);
    let (mut tables, _) = try_join(&worker.hub, tables).await.unwrap();
    worker.hub.committed(worker.log.append(HERE, 30));
    expect_silence(&mut tables).await;
    assert_eq!(tables.position().seq, 30);
    let kinds = [
        EventKind::GuestUpdated,
        EventKind::TableUpdated,
        EventKind::UserUpdated,
    ];
    worker
        .hub
        .committed(worker.log.append_as(HERE, &kinds.map(|kind| (kind, false))));
    expect(&mut tables, &worker.log, 32..=32).await;
    assert_eq!(tables.position().seq, 33, "over what follows, too");
}

#[tokio::test(start_paused = true)]
async fn the_public_hears_public_frames_only() {
    let worker = Worker::with_events(3);
    _ = worker
        .log
        .append_as(HERE, &[(EventKind::TableUpdated, true)]);
    let mut public = request(at(1, 0));
    public.hears = Hears::Public;
    let (mut session, _) = try_join(&worker.hub, public.clone()).await.unwrap();
    let from_the_log = frames(pull(&mut session).await);
    assert_eq!(from_the_log, ["{\"public\":4}"]);
    worker.hub.committed(worker.log.append(HERE, 2));
    worker.hub.committed(
        worker
            .log
            .append_as(HERE, &[(EventKind::TableUpdated, true)]),
    );
    let live = frames(pull(&mut session).await);
    assert_eq!(live, ["{\"public\":7}"]);
    assert_eq!(session.position().seq, 7);
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_may_be_ahead_of_the_room() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    let commits: Vec<_> = (0..4).map(|_| worker.log.append(HERE, 1)).collect();
    let snapshot = |e, seq| Position {
        epoch: epoch(e),
        seq,
    };
    assert!(session.skip_to(snapshot(1, 8)));
    assert_eq!(session.position().seq, 8);
    for commit in commits {
        worker.hub.committed(commit);
    }
    expect(&mut session, &worker.log, 9..=9).await;
    assert!(
        session.skip_to(snapshot(1, 2)),
        "an older one changes nothing"
    );
    expect_silence(&mut session).await;
    assert_eq!(session.position().seq, 9);
    assert!(!session.skip_to(snapshot(0, 20)), "of another life");
    assert_eq!(session.position().seq, 9);
    worker.log.renew(HERE, epoch(2), 9);
    assert!(!session.skip_to(snapshot(2, 9)));
    let start = Instant::now();
    assert!(matches!(pull(&mut session).await, Pull::Resync { .. }));
    assert!(start.elapsed().is_zero(), "it was looked into at once");
    assert!(session.skip_to(snapshot(2, 9)));
}

#[tokio::test(start_paused = true)]
async fn batches_are_bounded() {
    let mut config = config();
    config.batch_frames = 4;
    let worker = Worker::start(config, 10);
    let (mut session, _) = worker.join(at(1, 0)).await;
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 10 {
        sizes.push(frames(pull(&mut session).await).len());
    }
    assert_eq!(sizes, [4, 4, 2]);
}

/// Sessions live on single-threaded runtimes of their own, the hub on another.
#[test]
fn sessions_on_other_runtimes_are_woken() {
    let main = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let main = main.unwrap();
    let mut hub_config = config();
    (hub_config.opening_events, hub_config.page_events) = (5, 7);
    let worker = main.block_on(async { Worker::start(hub_config, 50) });
    let last = 350;
    std::thread::scope(|scope| {
        let (ready, joined) = std::sync::mpsc::channel();
        for _ in 0..3 {
            let (worker, ready) = (&worker, ready.clone());
            scope.spawn(move || {
                let own = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                own.unwrap().block_on(async {
                    let mut sessions = Vec::new();
                    for _ in 0..20 {
                        sessions.push(join(&worker.hub, at(1, 10)).await.0);
                    }
                    ready.send(()).unwrap();
                    join_all(sessions.iter_mut().map(|session| async {
                        let mut got = Vec::new();
                        while session.position().seq < last {
                            got.extend(frames(pull(session).await));
                        }
                        let log = (11..=last).map(|seq| worker.log.frame(HERE, seq));
                        assert_eq!(got, log.collect::<Vec<_>>());
                    }))
                    .await;
                });
            });
        }
        for _ in 0..3 {
            joined.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        for _ in 50..last {
            worker.hub.committed(worker.log.append(HERE, 1));
        }
    });
    main.block_on(worker.hub.shutdown());
    let delivered = worker.hub.stats().frames_delivered.get();
    assert_eq!(delivered, 60 * (350 - 10));
}

/// Such a runtime can wake nobody any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_outlive_the_runtime_on_which_they_joined() {
    let worker = Worker::with_events(0);
    let mut sessions = std::thread::scope(|scope| {
        let joining = scope.spawn(|| {
            let own = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            own.unwrap()
                .block_on(join_all((0..40).map(|_| worker.follow())))
        });
        // Joining needs this thread's runtime, so it must not be blocked meanwhile.
        tokio::task::block_in_place(|| joining.join().unwrap())
    });
    let commit = worker.log.append(HERE, 1);
    let heard = join_all(
        sessions
            .iter_mut()
            .map(|session| expect(session, &worker.log, 1..=1)),
    );
    // After all of them have gone to sleep.
    let committing = async { worker.hub.committed(commit) };
    tokio::join!(heard, committing);
}

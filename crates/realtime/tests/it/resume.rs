//! Coming back: exactly what was missed, or the truth that it cannot be told.

use realtime::{JoinError, Opening, Pull, Since};
use wire::live::frames::ResyncReason;

use crate::support::{
    HERE, THERE, Worker, at, config, epoch, expect, expect_silence, pull, request, try_join,
};

#[tokio::test(start_paused = true)]
async fn from_every_position_exactly_what_was_missed() {
    let mut config = config();
    // So that some of it comes from the ring, some from pages of the log.
    (
        config.opening_events,
        config.page_events,
        config.batch_frames,
    ) = (7, 5, 3);
    let worker = Worker::start(config, 40);
    for since in 0..=40 {
        let (mut session, opening) = worker.join(at(1, since)).await;
        let expected = Opening {
            epoch: epoch(1),
            head: 40,
            resumed: true,
            resync: None,
        };
        assert_eq!(opening, expected);
        assert_eq!(session.position().seq, since);
        expect(&mut session, &worker.log, since + 1..=40).await;
        assert_eq!(session.position().seq, 40);
        expect_silence(&mut session).await;
    }
    assert_eq!(worker.hub.stats().resumes.get(), 41);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_comes_back_is_served_from_the_ring() {
    let worker = Worker::with_events(100);
    let mut crowd = Vec::new();
    for n in 0..500 {
        crowd.push((worker.join(at(1, n % 100)).await.0, n % 100));
    }
    for (session, since) in &mut crowd {
        expect(session, &worker.log, *since + 1..=100).await;
    }
    // What the room read when it opened, for all of them.
    assert_eq!(worker.log.questions(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_followed_by_what_comes() {
    let worker = Worker::with_events(10);
    let (mut session, _) = worker.join(at(1, 4)).await;
    worker.hub.committed(worker.log.append(HERE, 2));
    expect(&mut session, &worker.log, 5..=12).await;
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 13..=13).await;
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_hears_only_what_comes() {
    let worker = Worker::with_events(3);
    let (mut session, opening) = worker.join(Since::Head).await;
    let expected = Opening {
        epoch: epoch(1),
        head: 3,
        resumed: false,
        resync: None,
    };
    assert_eq!(opening, expected);
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 4..=4).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_resumed_says_why_and_goes_on_after_the_head() {
    let worker = Worker::with_events(10);
    worker.log.prune(HERE, 4);
    for (since, reason) in [
        (Since::WithoutEpoch(9), ResyncReason::EpochMissing),
        (at(1, 99), ResyncReason::AheadOfLog),
        (at(1, 3), ResyncReason::Pruned),
        (at(1, -1), ResyncReason::Pruned),
        (at(0, 9), ResyncReason::EpochChanged),
        (at(9, 9), ResyncReason::EpochChanged),
    ] {
        let (mut session, opening) = worker.join(since).await;
        assert_eq!(opening.resync, Some(reason), "{since:?}");
        assert!(!opening.resumed);
        let head = worker.log.head(HERE).last_seq;
        assert_eq!(opening.head, head);
        worker.hub.committed(worker.log.append(HERE, 1));
        expect(&mut session, &worker.log, head + 1..=head + 1).await;
    }
    let stats = worker.hub.stats();
    assert_eq!((stats.resyncs.total(), stats.resumes.get()), (6, 0));
    let (_session, opening) = worker.join(at(1, 4)).await;
    assert!(opening.resumed, "just not pruned");
}

#[tokio::test(start_paused = true)]
async fn a_position_beyond_this_worker_but_not_beyond_the_log_is_awaited() {
    let worker = Worker::with_events(10);
    let _open = worker.follow().await;
    // Another worker committed and served the client; this one has not heard of it.
    _ = worker.log.append(HERE, 5);
    let (mut session, opening) = worker.join(at(1, 12)).await;
    assert!(opening.resumed);
    assert_eq!(opening.head, 12);
    assert_eq!(session.position().seq, 12);
    expect(&mut session, &worker.log, 13..=15).await;
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn an_epoch_beyond_this_worker_is_looked_up() {
    let worker = Worker::with_events(10);
    let mut open = worker.follow().await;
    worker.log.renew(HERE, epoch(2), 8);
    _ = worker.log.append(HERE, 1);
    let (mut session, opening) = worker.join(at(2, 9)).await;
    assert!(opening.resumed, "{opening:?}");
    assert_eq!((opening.epoch, opening.head), (epoch(2), 9));
    assert!(matches!(pull(&mut open).await, Pull::Resync { .. }));
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 10..=10).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_pruned_since_the_room_opened_is_noticed_when_it_is_read() {
    let mut config = config();
    config.opening_events = 5;
    let worker = Worker::start(config, 50);
    let _open = worker.follow().await;
    worker.log.prune(HERE, 30);
    let (mut session, opening) = worker.join(at(1, 20)).await;
    assert!(opening.resumed, "the room does not know yet");
    let Pull::Resync { reason, position } = pull(&mut session).await else {
        panic!("not a resync");
    };
    assert_eq!((reason, position.seq), (ResyncReason::Pruned, 50));
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 51..=51).await;
}

#[tokio::test(start_paused = true)]
async fn no_restaurant_and_no_log() {
    let worker = Worker::with_events(1);
    let mut elsewhere = request(Since::Head);
    elsewhere.restaurant_id = THERE;
    let joined = try_join(&worker.hub, elsewhere.clone()).await;
    assert_eq!(joined.err(), Some(JoinError::NotFound));
    worker.log.set_away(true);
    let joined = try_join(&worker.hub, request(Since::Head)).await;
    assert_eq!(joined.err(), Some(JoinError::Unavailable));
    // Neither is remembered.
    assert_eq!(worker.hub.stats().rooms.get(), 0);
    assert!(worker.bus.wanted.lock().is_empty());
    worker.log.set_away(false);
    worker.log.open(THERE, epoch(1));
    try_join(&worker.hub, elsewhere).await.expect("a session");
    let session = worker.follow().await;
    assert_eq!(worker.hub.stats().sessions.get(), 1);
    drop(session);
    assert_eq!(worker.hub.stats().sessions.get(), 0);
}

//! Rooms open, close, and open again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use realtime::{JoinError, Pull, Since};
use testkit::wait::DEADLINE;
use tokio::sync::Semaphore;
use wire::live::frames::CloseCode;

use crate::support::{
    HERE, Worker, at, config, expect, expect_silence, frames, pull, request, try_join,
};

#[tokio::test(start_paused = true)]
async fn commits_during_the_opening_are_neither_missed_nor_doubled() {
    let worker = Arc::new(Worker::with_events(10));
    worker.log.hold();
    let opening = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.join(at(1, 8)).await }
    });
    worker
        .until("the question for the tail", |w| w.log.questions() == 1)
        .await;
    // Before the log answers: the answer will have these already.
    let early = [worker.log.append(HERE, 1), worker.log.append(HERE, 2)];
    worker.bus.deliver(&early[1]);
    worker.hub.committed(early[0].clone());
    worker.log.let_go();
    let (mut session, opening) = opening.await.unwrap();
    assert!(opening.resumed);
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 9..=14).await;
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn commits_that_the_answer_does_not_have_yet_are_not_missed() {
    let worker = Arc::new(Worker::with_events(10));
    worker.log.hold_answers();
    let opening = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.join(at(1, 8)).await }
    });
    worker
        .until("the question for the tail", |w| w.log.questions() == 1)
        .await;
    let late = [worker.log.append(HERE, 1), worker.log.append(HERE, 2)];
    worker.bus.deliver(&late[1]);
    worker.hub.committed(late[0].clone());
    worker.log.let_go();
    let (mut session, opening) = opening.await.unwrap();
    assert_eq!(opening.head, 13);
    expect(&mut session, &worker.log, 9..=13).await;
    assert_eq!(worker.log.questions(), 1);
    expect_silence(&mut session).await;
}

#[tokio::test(start_paused = true)]
async fn the_log_is_read_only_after_the_subscription_is_confirmed() {
    let worker = Arc::new(Worker::with_events(10));
    worker
        .bus
        .confirmations
        .forget_permits(Semaphore::MAX_PERMITS);
    let opening = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.follow().await }
    });
    worker
        .until("the room", |w| w.hub.stats().rooms.get() == 1)
        .await;
    tokio::task::yield_now().await;
    assert_eq!(worker.log.questions(), 0);
    worker.bus.confirmations.add_permits(1);
    _ = opening.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_opening() {
    let worker = Worker::with_events(100);
    let sessions = join_all((0..200).map(|n| worker.join(at(1, n % 100)))).await;
    assert_eq!(worker.log.questions(), 1);
    assert_eq!(worker.hub.stats().rooms.get(), 1);
    assert_eq!(worker.hub.stats().sessions.get(), 200);
    for (n, (mut session, _)) in sessions.into_iter().enumerate() {
        let since = i64::try_from(n % 100).unwrap();
        expect(&mut session, &worker.log, since + 1..=100).await;
    }
    assert_eq!(worker.log.reads(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_opening_that_fails_fails_for_all_who_wait_and_nobody_else() {
    let worker = Worker::with_events(1);
    worker.log.set_away(true);
    let joins = (0..5).map(|_| try_join(&worker.hub, request(Since::Head)));
    for joined in join_all(joins).await {
        assert_eq!(joined.err(), Some(JoinError::Unavailable));
    }
    assert_eq!(worker.log.questions(), 1);
    worker.log.set_away(false);
    _ = worker.follow().await;
}

#[tokio::test(start_paused = true)]
async fn who_opens_the_room_may_leave_before_it_is_open() {
    let worker = Worker::with_events(1);
    worker.log.hold();
    let first = tokio::time::timeout(
        Duration::from_millis(100),
        worker.hub.join(request(Since::Head)),
    );
    assert!(first.await.is_err());
    worker.log.let_go();
    _ = worker.follow().await;
    assert_eq!(worker.log.questions(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_room_is_closed_after_a_while() {
    let mut config = config();
    config.room_idle = Duration::from_secs(6);
    let worker = Worker::start(config.clone(), 1);
    let session = worker.follow().await;
    tokio::time::sleep(config.room_idle * 3).await;
    assert_eq!(worker.hub.stats().rooms.get(), 1, "somebody is in it");
    drop(session);
    tokio::time::sleep(config.room_idle / 2).await;
    let session = worker.follow().await;
    assert_eq!(worker.hub.stats().rooms.get(), 1);
    let questions = worker.log.questions();
    drop(session);
    worker
        .until("the room to close", |w| w.hub.stats().rooms.get() == 0)
        .await;
    assert!(worker.bus.wanted.lock().is_empty());
    let compared = worker.log.questions();
    assert!(compared > questions, "an empty room is still compared");
    tokio::time::sleep(DEADLINE).await;
    assert_eq!(worker.log.questions(), compared, "a closed room is not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn sweeping_and_joining_race() {
    let mut config = config();
    config.room_idle = Duration::ZERO;
    let worker = Arc::new(Worker::start(config, 3));
    let tasks = (0..8).map(|n| {
        let worker = Arc::clone(&worker);
        tokio::spawn(async move {
            for round in 0..200 {
                let (mut session, opening) = worker.join(at(1, 2)).await;
                assert!(opening.resumed);
                let first = frames(pull(&mut session).await);
                assert_eq!(first[0], worker.log.frame(HERE, 3));
                // Whatever room it is, it is the one that hears of commits.
                let commit = worker.log.append(HERE, 1);
                let (_, last) = commit.range().unwrap();
                worker.hub.committed(commit);
                while session.position().seq < last {
                    _ = frames(pull(&mut session).await);
                }
                drop(session);
                if (n + round) % 3 == 0 {
                    tokio::time::sleep(Duration::from_millis(12)).await;
                }
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    worker
        .until("the last sweep", |w| w.hub.stats().rooms.get() == 0)
        .await;
    assert_eq!(worker.hub.stats().sessions.get(), 0);
    assert!(worker.bus.wanted.lock().is_empty());
    // And a room that is open is always subscribed.
    let mut session = worker.follow().await;
    assert!(worker.bus.wanted.lock().contains(&HERE));
    let commit = worker.log.append(HERE, 1);
    worker.bus.deliver(&commit);
    let (_, last) = commit.range().unwrap();
    expect(&mut session, &worker.log, last..=last).await;
}

#[tokio::test(start_paused = true)]
async fn a_restaurant_that_is_gone_sends_its_sessions_away() {
    let worker = Worker::with_events(1);
    let mut session = worker.follow().await;
    worker.log.remove(HERE);
    let Pull::Close(closing) = pull(&mut session).await else {
        panic!("not closed");
    };
    assert_eq!(closing.code, CloseCode::Forbidden);
    drop(session);
    let joined = try_join(&worker.hub, request(Since::Head)).await;
    assert_eq!(joined.err(), Some(JoinError::NotFound));
}

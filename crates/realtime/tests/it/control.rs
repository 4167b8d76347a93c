//! Sending sessions away.

use std::time::Duration;

use futures_util::future::join_all;
use realtime::{Closing, JoinError, Pull, Session, Since, Who};
use tokio::time::Instant;
use uuid::Uuid;
use wire::UserId;
use wire::live::frames::CloseCode;

use crate::support::{Worker, expect_silence, pull, request, try_join};

async fn closing(session: &mut Session) -> Closing {
    match pull(session).await {
        Pull::Close(closing) => closing,
        other => panic!("not closed: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_are_picked_go() {
    let worker = Worker::with_events(1);
    let user = |n| Some(UserId(Uuid::from_u128(n)));
    let mut sessions = Vec::new();
    for n in [1, 2, 1] {
        let mut join = request(Since::Head);
        join.who = Who {
            user_id: user(n),
            session_id: None,
            holds: None,
        };
        sessions.push(try_join(&worker.hub, join).await.unwrap().0);
    }
    assert_eq!(worker.hub.sessions().len(), 3);
    let out = |code| {
        worker
            .hub
            .close_where(|info| info.who.user_id == user(1), code)
    };
    assert_eq!(out(CloseCode::TokenExpired), 2);
    assert_eq!(out(CloseCode::Forbidden), 0, "the first reason stands");
    for n in [0, 2] {
        for _ in 0..2 {
            let expected = Closing {
                code: CloseCode::TokenExpired,
                reconnect_after: None,
            };
            assert_eq!(closing(&mut sessions[n]).await, expected);
        }
    }
    expect_silence(&mut sessions[1]).await;
    drop(sessions);
    assert!(worker.hub.sessions().is_empty());
}

/// How long after the start each session was sent away, and for how long.
async fn drained(worker: &Worker, grace: Duration) -> (Vec<Duration>, Vec<Duration>) {
    let mut sessions = Vec::new();
    for _ in 0..100 {
        sessions.push(worker.follow().await);
    }
    let start = Instant::now();
    let goodbyes = join_all(sessions.iter_mut().map(|session| async move {
        let closing = closing(session).await;
        assert_eq!(closing.code, CloseCode::GoingAway);
        (
            start.elapsed(),
            closing.reconnect_after.expect("a time to come back"),
        )
    }));
    let (goodbyes, ()) = tokio::join!(goodbyes, worker.hub.drain(grace));
    let (mut when, away): (Vec<_>, Vec<_>) = goodbyes.into_iter().unzip();
    when.sort();
    (when, away)
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_spread_over_the_grace() {
    let worker = Worker::with_events(1);
    let (when, away) = drained(&worker, Duration::from_secs(11)).await;
    // A hundred over ten seconds, the last second being for goodbyes.
    for (n, when) in when.iter().enumerate() {
        let due = Duration::from_millis(100) * u32::try_from(n).unwrap();
        assert!(
            when.abs_diff(due) < Duration::from_millis(5),
            "{n} at {when:?}"
        );
    }
    assert!(away.iter().all(|away| *away <= Duration::from_secs(1)));
    let joined = try_join(&worker.hub, request(Since::Head)).await;
    assert_eq!(joined.err(), Some(JoinError::Draining));
}

#[tokio::test(start_paused = true)]
async fn with_little_grace_all_go_within_the_first_second() {
    let worker = Worker::with_events(1);
    let (when, away) = drained(&worker, Duration::from_secs(2)).await;
    assert!(when.iter().all(|when| *when < Duration::from_secs(1)));
    assert!(away.iter().all(|away| *away <= Duration::from_secs(5)));
    assert!(
        away.iter().any(|away| *away > Duration::from_secs(2)),
        "{away:?}"
    );
    let worker = Worker::with_events(1);
    let (when, _) = drained(&worker, Duration::ZERO).await;
    assert!(when.iter().all(|when| when.is_zero()));
}

#[tokio::test(start_paused = true)]
async fn who_is_joining_when_the_drain_begins_does_not_slip_through() {
    let worker = Worker::with_events(1);
    worker.log.hold();
    let joining = tokio::spawn({
        let hub = worker.hub.clone();
        async move { hub.join(request(Since::Head)).await }
    });
    worker
        .until("the opening", |w| w.log.questions() == 1)
        .await;
    worker.hub.drain(Duration::ZERO).await;
    worker.log.let_go();
    let joined = joining.await.unwrap();
    assert_eq!(joined.err(), Some(JoinError::Draining));
    assert_eq!(worker.hub.stats().sessions.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_after_the_end() {
    let worker = Worker::with_events(1);
    let mut session = worker.follow().await;
    worker.hub.shutdown().await;
    assert_eq!(closing(&mut session).await.code, CloseCode::GoingAway);
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 0);
    let joined = try_join(&worker.hub, request(Since::Head)).await;
    assert_eq!(joined.err(), Some(JoinError::Draining));
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_dropped_ends_its_tasks() {
    let worker = Worker::with_events(1);
    let metrics = tokio::runtime::Handle::current().metrics();
    assert!(metrics.num_alive_tasks() > 0);
    drop(worker);
    testkit::wait::until("the tasks' end", testkit::wait::DEADLINE, async || {
        (metrics.num_alive_tasks() == 0).then_some(())
    })
    .await;
}

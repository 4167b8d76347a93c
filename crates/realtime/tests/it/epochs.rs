//! A database that was rewound.

use realtime::{Pull, Session};
use tokio::time::Instant;
use wire::live::frames::ResyncReason;

use crate::support::{HERE, Worker, at, config, epoch, expect, expect_silence, pull, request};

async fn expect_resync(session: &mut Session, reason: ResyncReason, e: u128, seq: i64) {
    let Pull::Resync {
        reason: given,
        position,
    } = pull(session).await
    else {
        panic!("not a resync");
    };
    assert_eq!(
        (given, position.epoch, position.seq),
        (reason, epoch(e), seq)
    );
    assert_eq!(session.position(), position);
}

#[tokio::test(start_paused = true)]
async fn a_younger_epoch_is_announced_and_followed() {
    let worker = Worker::with_events(10);
    let mut session = worker.follow().await;
    worker.log.renew(HERE, epoch(2), 7);
    let start = Instant::now();
    worker.hub.committed(worker.log.append(HERE, 1));
    expect_resync(&mut session, ResyncReason::EpochChanged, 2, 8).await;
    assert!(
        start.elapsed() < config().reorder_grace,
        "not by comparison"
    );
    worker.hub.committed(worker.log.append(HERE, 2));
    expect(&mut session, &worker.log, 9..=10).await;
    expect_silence(&mut session).await;
    assert_eq!(worker.hub.stats().renewals.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_younger_epoch_is_found_by_comparison() {
    let worker = Worker::with_events(10);
    let mut session = worker.follow().await;
    worker.log.renew(HERE, epoch(2), 10);
    expect_resync(&mut session, ResyncReason::EpochChanged, 2, 10).await;
}

#[tokio::test(start_paused = true)]
async fn messages_of_an_older_epoch_are_dropped() {
    let worker = Worker::with_events(10);
    let mut session = worker.follow().await;
    let late = worker.log.append(HERE, 1);
    worker.log.renew(HERE, epoch(2), 10);
    worker.hub.committed(worker.log.append(HERE, 1));
    expect_resync(&mut session, ResyncReason::EpochChanged, 2, 11).await;
    worker.bus.deliver(&late);
    let mut later = late.clone();
    later.events[0].seq = 12;
    worker.bus.deliver(&later);
    expect_silence(&mut session).await;
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 12..=12).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_alone_does_not_renew() {
    let worker = Worker::with_events(10);
    let mut session = worker.follow().await;
    let mut strange = worker.log.append(HERE, 1);
    worker.log.lose_after(HERE, 10);
    strange.epoch = epoch(5);
    worker.bus.deliver(&strange);
    expect_silence(&mut session).await;
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 11..=11).await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_lost_its_end_is_believed_when_it_insists() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    worker.hub.committed(worker.log.append(HERE, 5));
    expect(&mut session, &worker.log, 6..=10).await;
    worker.log.lose_after(HERE, 8);
    expect_resync(&mut session, ResyncReason::AheadOfLog, 1, 8).await;
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 9..=9).await;
    assert!(worker.hub.stats().head_contradicts.get() > 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_is_not_held_against_the_log() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    for round in 0..10 {
        let questions = worker.log.questions();
        worker.log.hold_answers();
        worker
            .until("a comparison", |w| w.log.questions() > questions)
            .await;
        // By the time the answer arrives, a commit has passed it.
        worker.hub.committed(worker.log.append(HERE, 1));
        expect(&mut session, &worker.log, 6 + round..=6 + round).await;
        worker.log.let_go();
        expect_silence(&mut session).await;
    }
    let stats = worker.hub.stats();
    assert_eq!((stats.head_contradicts.get(), stats.renewals.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_another_life_is_not_heard() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    let questions = worker.log.questions();
    worker.log.hold_answers();
    worker
        .until("a comparison", |w| w.log.questions() > questions)
        .await;
    // The answer to the second question overtakes that to the first.
    worker.log.renew(HERE, epoch(2), 5);
    let mut anew = request(at(2, 5));
    anew.restaurant_id = HERE;
    let joined = tokio::spawn({
        let hub = worker.hub.clone();
        async move { hub.join(anew).await }
    });
    worker
        .until("a question of the joiner", |w| {
            w.log.questions() > questions + 1
        })
        .await;
    worker.log.let_go();
    let (mut joined, _) = joined.await.unwrap().unwrap();
    expect_resync(&mut session, ResyncReason::EpochChanged, 2, 5).await;
    expect_silence(&mut joined).await;
    assert_eq!(worker.hub.stats().renewals.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_number_with_other_content_is_noticed() {
    let worker = Worker::with_events(5);
    let mut session = worker.follow().await;
    worker.hub.committed(worker.log.append(HERE, 2));
    expect(&mut session, &worker.log, 6..=7).await;
    // The end is lost and written anew before anybody compares.
    worker.log.lose_after(HERE, 5);
    worker.hub.committed(worker.log.append(HERE, 3));
    loop {
        match pull(&mut session).await {
            Pull::Frames(_) => {}
            Pull::Resync { reason, position } => {
                assert_eq!((reason, position.seq), (ResyncReason::AheadOfLog, 8));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 9..=9).await;
}

#[tokio::test(start_paused = true)]
async fn an_epoch_from_a_clock_that_runs_behind_is_believed_when_the_log_insists() {
    let worker = Worker::with_events(5);
    worker.log.renew(HERE, epoch(9), 5);
    let mut session = worker.follow().await;
    worker.log.renew(HERE, epoch(4), 5);
    expect_resync(&mut session, ResyncReason::EpochChanged, 4, 5).await;
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut session, &worker.log, 6..=6).await;
}

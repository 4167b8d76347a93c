//! What was erased from the log is not said any more, and nothing else changes for anybody.

use crate::support::{HERE, Worker, at, config, expect, expect_silence};

#[tokio::test(start_paused = true)]
async fn whoever_is_behind_or_comes_back_hears_it_as_the_log_has_it_now() {
    let worker = Worker::with_events(10);
    let mut live = worker.follow().await;
    let (mut behind, _) = worker.join(at(1, 4)).await;
    worker.hub.committed(worker.log.append(HERE, 2));
    expect(&mut live, &worker.log, 11..=12).await;
    worker.hub.committed(worker.log.erase(HERE));
    worker.hub.committed(worker.log.append(HERE, 1));
    expect(&mut live, &worker.log, 13..=14).await;
    expect(&mut behind, &worker.log, 5..=14).await;
    let (mut back, opening) = worker.join(at(1, 9)).await;
    assert!(opening.resumed);
    expect(&mut back, &worker.log, 10..=14).await;
    for session in [&mut live, &mut behind, &mut back] {
        expect_silence(session).await;
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_held_or_being_read_are_read_again() {
    let mut config = config();
    (
        config.opening_events,
        config.page_events,
        config.batch_frames,
    ) = (1, 5, 1);
    let worker = Worker::start(config, 20);
    // One has a page in hand.
    let (mut holding, _) = worker.join(at(1, 0)).await;
    expect(&mut holding, &worker.log, 1..=1).await;
    // Another waits for one that the log has answered before the erasure.
    let (mut waiting, _) = worker.join(at(1, 7)).await;
    worker.log.hold_answers();
    expect_silence(&mut waiting).await;
    worker.hub.committed(worker.log.erase(HERE));
    worker.log.let_go();
    expect(&mut waiting, &worker.log, 8..=21).await;
    expect(&mut holding, &worker.log, 2..=21).await;
}

//! What is not in the log, and of which only the latest counts.

use realtime::{Pull, Readers, Since};

use crate::support::{HERE, THERE, Worker, expect, expect_silence, pull, request, try_join};

fn bulletin(text: &'static str) -> Pull {
    Pull::Bulletin(text.into())
}

#[tokio::test(start_paused = true)]
async fn the_latest_is_heard_once_and_by_those_who_come_later() {
    let worker = Worker::with_events(1);
    let mut session = worker.follow().await;
    expect_silence(&mut session).await;
    worker.hub.post(HERE, Readers::Staff, "news", "one".into());
    assert_eq!(pull(&mut session).await, bulletin("one"));
    // The same again is no news; neither is what nobody had time to hear.
    worker.hub.post(HERE, Readers::Staff, "news", "one".into());
    expect_silence(&mut session).await;
    worker.hub.post(HERE, Readers::Staff, "news", "two".into());
    worker
        .hub
        .post(HERE, Readers::Staff, "news", "three".into());
    assert_eq!(pull(&mut session).await, bulletin("three"));
    expect_silence(&mut session).await;
    let mut late = worker.follow().await;
    assert_eq!(pull(&mut late).await, bulletin("three"));
    expect_silence(&mut late).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_no_part_of_the_log() {
    let worker = Worker::with_events(1);
    let mut without = request(Since::Head);
    without.bulletins = false;
    let (mut without, _) = try_join(&worker.hub, without).await.unwrap();
    let mut session = worker.follow().await;
    worker
        .hub
        .post(THERE, Readers::Staff, "news", "elsewhere".into());
    worker.hub.committed(worker.log.append(HERE, 2));
    worker.hub.post(HERE, Readers::Staff, "news", "here".into());
    assert_eq!(pull(&mut session).await, bulletin("here"));
    assert_eq!(session.position().seq, 1);
    expect(&mut session, &worker.log, 2..=3).await;
    expect(&mut without, &worker.log, 2..=3).await;
    expect_silence(&mut without).await;
}

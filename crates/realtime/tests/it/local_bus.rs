//! Two hubs of one process.

use std::sync::Arc;

use futures_util::future::join_all;
use realtime::{Hub, LocalBus};

use crate::support::log::FakeLog;
use crate::support::{HERE, at, config, epoch, expect, expect_silence, join};

#[tokio::test(start_paused = true)]
async fn what_commits_here_is_heard_there() {
    let log = Arc::new(FakeLog::default());
    log.open(HERE, epoch(1));
    let bus = LocalBus::new();
    let start = |bus| Hub::start(config(), Arc::clone(&log) as _, Arc::new(bus));
    let hubs = [start(bus.another()), start(bus.another()), start(bus)];
    let mut sessions = Vec::new();
    for hub in &hubs {
        sessions.push(join(hub, at(1, 0)).await.0);
    }
    for n in 0..30 {
        hubs[n % 3].committed(log.append(HERE, 1 + n % 2));
    }
    join_all(
        sessions
            .iter_mut()
            .map(|session| expect(session, &log, 1..=45)),
    )
    .await;
    for session in &mut sessions {
        expect_silence(session).await;
    }
    for hub in &hubs {
        assert_eq!(hub.stats().gap_fills.get(), 0);
        assert_eq!(hub.stats().bus_received.get(), 20);
        assert_eq!(hub.stats().bus_lag.count(), 20);
        assert!(hub.bus_is_up());
        hub.shutdown().await;
    }
    hubs[0].committed(log.append(HERE, 1));
}

//! What can be set about a hub.

use std::time::Duration;

use tracing::Span;

use crate::trace::Relay;

/// Bounds and times of a hub. [`HubConfig::new`] has the defaults.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// The wall clock in Unix milliseconds, to measure how long commits take to get here.
    pub now_ms: fn() -> u64,
    /// Makes the span in which a traced commit is handed to its room. Asked for no others.
    pub relay_span: fn(&Relay) -> Span,
    /// How many recent events a room keeps.
    pub ring_events: usize,
    /// How many bytes of recent events a room keeps; as much again may lie beyond a gap.
    pub ring_bytes: usize,
    /// How many events a room keeps that lie beyond a gap.
    pub pending_events: usize,
    /// How many events a room reads when it opens, for those who come back soon.
    pub opening_events: usize,
    /// How many events are read from the log at once.
    pub page_events: usize,
    /// How many frames a session gets at once.
    pub batch_frames: usize,
    /// How many bytes of frames a session gets at once, unless one frame alone is larger.
    pub batch_bytes: usize,
    /// How long a missing event may be late before the log is read for it. Commits of two workers
    /// overtake each other by about the time of a hop through Redis.
    pub reorder_grace: Duration,
    /// A pause between two pages of a gap, in which sessions take the first from the ring before
    /// the second pushes it out.
    pub fill_pause: Duration,
    /// How often all rooms' positions are compared with the log. `None` never compares, which
    /// loses messages: only for a test that shows that comparing is needed.
    pub compare_every: Option<Duration>,
    /// The same while the bus does not reach everybody: then this is how changes on other workers
    /// are found.
    pub compare_every_when_down: Duration,
    /// How long a room without sessions is kept open.
    pub room_idle: Duration,
    /// How long the log may take to answer.
    pub log_timeout: Duration,
    /// How many reads of the log may be under way for rooms, and as many for sessions.
    pub log_reads: usize,
    /// How long joining may take, the opening of the room included.
    pub join_timeout: Duration,
    /// Over how long clients are asked to spread their return when all sessions had to be closed
    /// at once.
    pub reconnect_spread: Duration,
    /// What is broken on purpose.
    #[cfg(feature = "faults")]
    pub fault: Option<crate::faults::Fault>,
}

impl HubConfig {
    /// The defaults, with a clock.
    #[must_use]
    pub fn new(now_ms: fn() -> u64) -> Self {
        Self {
            now_ms,
            relay_span: |_| Span::none(),
            ring_events: 512,
            ring_bytes: 1 << 20,
            pending_events: 1024,
            opening_events: 128,
            page_events: 128,
            batch_frames: 64,
            batch_bytes: 64 << 10,
            reorder_grace: Duration::from_millis(20),
            fill_pause: Duration::from_millis(2),
            compare_every: Some(Duration::from_secs(2)),
            compare_every_when_down: Duration::from_millis(150),
            room_idle: Duration::from_secs(30),
            log_timeout: Duration::from_secs(5),
            log_reads: 8,
            join_timeout: Duration::from_secs(10),
            reconnect_spread: Duration::from_secs(5),
            #[cfg(feature = "faults")]
            fault: None,
        }
    }
}

//! One clock for all processes of this machine.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since some moment in the past, the same one for all processes of this machine.
pub(crate) type Nanos = u64;

/// Now.
pub(crate) fn now() -> Nanos {
    let now = clock_gettime(ClockId::Monotonic);
    let part = |part: i64| u64::try_from(part).unwrap_or(0);
    part(now.tv_sec) * 1_000_000_000 + part(now.tv_nsec)
}

/// How long ago that was; nothing if it is still to come.
pub(crate) fn since(then: Nanos) -> Duration {
    between(then, now())
}

/// From one moment to a later one.
pub(crate) const fn between(from: Nanos, to: Nanos) -> Duration {
    Duration::from_nanos(to.saturating_sub(from))
}

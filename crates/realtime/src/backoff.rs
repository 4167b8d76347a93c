//! Pauses between attempts.

use std::time::Duration;

/// Pauses that double up to a limit. Each is cut by up to a half at random, so that many who
/// failed together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// For questions to a database that does not answer.
    pub(crate) fn for_log() -> Self {
        Self::new(Duration::from_millis(20), Duration::from_secs(1))
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next.mul_f64(rand::random_range(0.5..=1.0));
        self.next = (self.next * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_limit_and_starts_again() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(50), ms(2000));
        for full in [50, 100, 200, 400, 800, 1600, 2000, 2000] {
            let pause = backoff.pause();
            assert!(ms(full) / 2 <= pause && pause <= ms(full), "{pause:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= ms(50));
    }
}

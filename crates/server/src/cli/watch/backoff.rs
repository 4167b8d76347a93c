//! When to come back after a connection was lost.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
/// Somebody is looking at the screen.
const LONGEST: Duration = Duration::from_secs(10);

/// What a server may ask for at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before the next attempt.
///
/// Doubles with each attempt, and is spread by `chance` (0 to 1) over the upper half, so that all
/// who lost their worker together do not come back together. What the server asked for is honoured.
pub(super) fn delay(attempt: u32, chance: f64, asked: Option<Duration>) -> Duration {
    if let Some(asked) = asked {
        // The server spread its clients already.
        return asked.min(PATIENCE);
    }
    let whole = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// What a close frame of a worker that goes away says: `{"reconnect_after_ms": 1200}`.
pub(super) fn asked_by(reason: &str) -> Option<Duration> {
    let reason: serde_json::Value = serde_json::from_str(reason).ok()?;
    Some(Duration::from_millis(
        reason.get("reconnect_after_ms")?.as_u64()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_a_limit() {
        let ms = |attempt, chance| delay(attempt, chance, None).as_millis();
        assert_eq!((ms(0, 0.0), ms(0, 1.0)), (250, 500));
        assert_eq!((ms(3, 0.0), ms(3, 1.0)), (2000, 4000));
        assert_eq!((ms(6, 1.0), ms(60, 1.0)), (10_000, 10_000));
    }

    #[test]
    fn honours_the_server() {
        let asked = asked_by(r#"{"reconnect_after_ms": 1200}"#);
        assert_eq!(asked, Some(Duration::from_millis(1200)));
        assert_eq!(delay(5, 0.5, asked), Duration::from_millis(1200));
        assert_eq!(asked_by("going away"), None);
        assert_eq!(asked_by("{}"), None);
        let never = Some(Duration::from_secs(86_400));
        assert_eq!(delay(0, 0.5, never), Duration::from_secs(60));
    }
}

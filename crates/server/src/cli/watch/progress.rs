//! What has been heard so far, and where to go on after a break.

use serde_json::Value;
use wire::{Epoch, Position, Seq};

/// Counts what is heard, and keeps the position from which to resume.
#[derive(Debug, Default)]
pub(super) struct Progress {
    position: Option<Position>,
    /// Without a filter every number comes, so that a missing one is a fault.
    is_whole: bool,
    pub(super) events: u64,
    pub(super) resyncs: u64,
    pub(super) doubled: u64,
    pub(super) missing: u64,
}

impl Progress {
    /// Nothing was heard yet. `is_whole`: nothing is filtered out.
    pub(super) fn new(is_whole: bool) -> Self {
        Self {
            is_whole,
            ..Self::default()
        }
    }

    /// Where to go on.
    pub(super) fn position(&self) -> Option<Position> {
        self.position
    }

    /// Takes note of a frame. Returns a complaint when the stream is not what was promised.
    pub(super) fn hear(&mut self, frame: &Value) -> Option<String> {
        let epoch = || frame.get("epoch")?.as_str()?.parse::<Epoch>().ok();
        let number = |name| frame.get(name).and_then(Value::as_i64);
        match frame.get("type").and_then(Value::as_str)? {
            "restaurant_connect" => {
                let resumed = frame.get("resumed").and_then(Value::as_bool) == Some(true);
                if !resumed || self.position.is_none() {
                    self.go_to(epoch()?, number("seq")?);
                }
                None
            }
            "resync_required" => {
                self.resyncs += 1;
                self.go_to(epoch()?, number("seq")?);
                None
            }
            "full_sync" => {
                self.go_to(epoch()?, number("seq")?);
                None
            }
            "heartbeat" | "pong" => {
                // What was filtered out need not be read again.
                let served = number("position")?;
                let position = self.position.as_mut()?;
                position.seq = position.seq.max(served);
                None
            }
            _ => self.event(number("seq")?),
        }
    }

    fn go_to(&mut self, epoch: Epoch, seq: Seq) {
        self.position = Some(Position { epoch, seq });
    }

    fn event(&mut self, seq: Seq) -> Option<String> {
        self.events += 1;
        let position = self.position.as_mut()?;
        let last = position.seq;
        position.seq = last.max(seq);
        if seq <= last {
            self.doubled += 1;
            return Some(format!("#{seq} came after #{last}"));
        }
        if self.is_whole && seq > last + 1 {
            self.missing += u64::try_from(seq - last - 1).unwrap_or(0);
            return Some(format!("nothing was heard between #{last} and #{seq}"));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const NIL: Uuid = Uuid::nil();

    fn at(progress: &Progress) -> Option<Seq> {
        progress.position().map(|position| position.seq)
    }

    fn connect(seq: Seq, resumed: bool) -> Value {
        json!({"type": "restaurant_connect", "epoch": NIL, "seq": seq, "resumed": resumed})
    }

    fn event(seq: Seq) -> Value {
        json!({"type": "guest_updated", "seq": seq})
    }

    #[test]
    fn goes_on_where_it_was() {
        let mut progress = Progress::new(true);
        assert_eq!(progress.position(), None);
        for (frame, position) in [
            (connect(7, false), 7),
            (event(8), 8),
            (json!({"type": "heartbeat", "position": 8}), 8),
            // Another worker; what was missed comes now, so the head is not yet the position.
            (connect(12, true), 8),
            (event(9), 9),
            (
                json!({"type": "resync_required", "epoch": NIL, "seq": 20, "reason": "pruned"}),
                20,
            ),
            (event(21), 21),
            (
                json!({"type": "error", "code": "bad_request", "message": "?"}),
                21,
            ),
        ] {
            assert_eq!(progress.hear(&frame), None, "{frame}");
            assert_eq!(at(&progress), Some(position), "{frame}");
        }
        assert_eq!((progress.events, progress.resyncs), (3, 1));
        assert_eq!((progress.doubled, progress.missing), (0, 0));
    }

    #[test]
    fn what_is_filtered_out_is_passed_by_heartbeats() {
        let mut progress = Progress::new(false);
        progress.hear(&connect(7, false));
        assert_eq!(progress.hear(&event(11)), None);
        progress.hear(&json!({"type": "pong", "position": 30}));
        assert_eq!(at(&progress), Some(30));
    }

    #[test]
    fn complains_when_the_promise_is_broken() {
        let mut progress = Progress::new(true);
        progress.hear(&connect(7, false));
        assert!(progress.hear(&event(10)).is_some());
        assert!(progress.hear(&event(10)).is_some());
        assert!(progress.hear(&event(9)).is_some());
        assert_eq!((progress.missing, progress.doubled), (2, 2));
        assert_eq!(at(&progress), Some(10));
    }
}

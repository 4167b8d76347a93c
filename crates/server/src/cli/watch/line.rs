//! One line for one frame.

use chrono::{DateTime, FixedOffset, Local, Utc};
use serde_json::Value;

use super::names::{Names, name_of, text};

/// How lines look.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Whether there are colours.
    pub(super) color: bool,
    /// The zone of the times; the machine's own when absent.
    pub(super) zone: Option<FixedOffset>,
}

const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const MAGENTA: &str = "\x1b[35m";
const CYAN: &str = "\x1b[36m";
const END: &str = "\x1b[0m";

impl Look {
    fn paint(self, color: &str, text: &str) -> String {
        if self.color {
            format!("{color}{text}{END}")
        } else {
            text.to_owned()
        }
    }

    fn time(self, frame: &Value) -> String {
        let time = text(frame, "timestamp").and_then(|time| time.parse::<DateTime<Utc>>().ok());
        let time = time.map_or_else(
            || "            ".to_owned(),
            |time| {
                let time = match self.zone {
                    Some(zone) => time.with_timezone(&zone).time(),
                    None => time.with_timezone(&Local).time(),
                };
                time.format("%H:%M:%S%.3f").to_string()
            },
        );
        self.paint(DIM, &time)
    }
}

/// The line for a frame; none for those that only keep the connection alive.
pub(super) fn line(frame: &Value, names: &Names, look: Look) -> Option<String> {
    let kind = text(frame, "type")?;
    let note = match kind {
        "heartbeat" | "pong" => return None,
        "restaurant_connect" => look.paint(GREEN, &connected(frame)),
        "resync_required" => look.paint(RED, &resync(frame)),
        "presence" => look.paint(DIM, &presence(frame)),
        "error" => {
            let message = text(frame, "message").unwrap_or("an error without words");
            look.paint(RED, &format!("the server says: {message}"))
        }
        _ => return Some(event(kind, frame, names, look)),
    };
    Some(format!("{} {note}", look.time(frame)))
}

fn connected(frame: &Value) -> String {
    let worker = text(frame, "worker_id").unwrap_or("?");
    let seq = frame.get("seq").and_then(Value::as_i64).unwrap_or(0);
    let how = match frame.get("resumed").and_then(Value::as_bool) {
        Some(true) => ", resuming",
        _ => "",
    };
    format!("connected to worker {worker} at #{seq}{how}")
}

fn resync(frame: &Value) -> String {
    let why = match text(frame, "reason") {
        Some("pruned") => "the events in between are no longer kept",
        Some("epoch_changed") => "the database was restored or moved",
        Some("ahead_of_log") => "the log ends before the position",
        Some(other) => other,
        None => "no reason was given",
    };
    let seq = frame.get("seq").and_then(Value::as_i64).unwrap_or(0);
    format!("had to skip to #{seq}: {why}")
}

fn presence(frame: &Value) -> String {
    let count = |field| match frame.get(field) {
        Some(Value::Array(list)) => list.len().to_string(),
        Some(number) => number.to_string(),
        None => "?".to_owned(),
    };
    format!("{} users on {} devices", count("users"), count("devices"))
}

fn event(kind: &str, frame: &Value, names: &Names, look: Look) -> String {
    let color = match kind.split('_').next() {
        _ if kind.ends_with("_deleted") || kind.ends_with("_cancelled") => RED,
        Some("guest") => CYAN,
        Some("table") => YELLOW,
        Some("reservation") => MAGENTA,
        _ => GREEN,
    };
    let seq = frame.get("seq").and_then(Value::as_i64).unwrap_or(0);
    let action = text(frame, "action").unwrap_or_default().replace('_', " ");
    let who = text(frame, "actor_id").map_or_else(|| "the clock".to_owned(), |id| names.of(id));
    format!(
        "{} {} {} {action:<15} {}  {}",
        look.time(frame),
        look.paint(DIM, &format!("{:>6}", format!("#{seq}"))),
        look.paint(color, &format!("{kind:<19}")),
        what(kind, frame, names),
        look.paint(DIM, &format!("by {who}")),
    )
}

/// The final state in words.
fn what(kind: &str, frame: &Value, names: &Names) -> String {
    if kind == "atomic_transaction_complete" {
        let changed = frame.get("affected_entities").and_then(Value::as_array);
        return format!("{} things changed at once", changed.map_or(0, Vec::len));
    }
    let nothing = Value::Null;
    let data = frame.get("data").unwrap_or(&nothing);
    let name = name_of(data).or_else(|| text(data, "id").map(|id| names.of(id)));
    let mut words: Vec<String> = name.into_iter().collect();
    if let Some(size) = data.get("partySize").and_then(Value::as_i64) {
        words.push(format!("party of {size}"));
    }
    if let Some(status) = text(data, "status").or_else(|| text(data, "role")) {
        words.push(status.replace('_', " "));
    }
    if let Some(time) = text(data, "reservationTime") {
        words.push(time.to_owned());
    }
    let tables = tables(data, names);
    if !tables.is_empty() {
        words.push(format!("at {}", tables.join(" and ")));
    }
    if let Some(guest) = text(data, "currentGuestId") {
        words.push(format!("with {}", names.of(guest)));
    }
    words.join(", ")
}

fn tables(data: &Value, names: &Names) -> Vec<String> {
    let joined = data.get("tableIds").and_then(Value::as_array);
    let ids: Vec<_> = match joined {
        Some(ids) if !ids.is_empty() => ids.iter().filter_map(Value::as_str).collect(),
        _ => text(data, "tableId").into_iter().collect(),
    };
    ids.into_iter().map(|id| names.of(id)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAIN: Look = Look {
        color: false,
        zone: FixedOffset::east_opt(2 * 3600),
    };

    fn frames() -> Vec<Value> {
        let time = "2026-11-21T17:30:01.123456Z";
        vec![
            json!({"type": "restaurant_connect", "epoch": "e", "seq": 1041, "resumed": true, "worker_id": "w-1", "timestamp": time}),
            json!({"type": "guest_updated", "seq": 1042, "action": "status_changed", "timestamp": time, "actor_id": "u1", "guest_id": "g1",
                "data": {"id": "g1", "guestName": "John Doe", "status": "seated", "partySize": 4, "tableId": "t1", "tableIds": ["t1", "t2"]}}),
            json!({"type": "table_updated", "seq": 1043, "action": "guest_assigned", "timestamp": time,
                "data": {"id": "t1", "tableNumber": "12", "status": "needs_cleaning", "currentGuestId": "g1"}}),
            json!({"type": "guest_deleted", "seq": 1044, "action": "deleted", "timestamp": time, "actor_id": "0198b2f0-0000-7000-8000-000000abcdef", "data": {"id": "g1", "version": 3}}),
            json!({"type": "atomic_transaction_complete", "seq": 1045, "timestamp": time, "affected_entities": ["guest-g1", "table-t1"]}),
            json!({"type": "heartbeat", "timestamp": time, "position": 1045}),
            json!({"type": "presence", "users": ["a"], "devices": 3}),
            json!({"type": "resync_required", "seq": 2000, "reason": "pruned"}),
            json!({"type": "error", "code": "bad_request", "message": "That was not understood."}),
            json!({"no": "type"}),
        ]
    }

    #[test]
    fn lines() {
        let mut names = Names::default();
        names.learn_all(&json!([
            {"id": "t1", "tableNumber": "12"}, {"id": "t2", "tableNumber": "13"},
            {"id": "g1", "guestName": "John Doe"}, {"id": "u1", "firstName": "Ada", "lastName": "Byron"},
        ]));
        let lines: Vec<_> = frames()
            .iter()
            .filter_map(|frame| line(frame, &names, PLAIN))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        19:30:01.123 connected to worker w-1 at #1041, resuming
        19:30:01.123  #1042 guest_updated       status changed  John Doe, party of 4, seated, at table 12 and table 13  by Ada Byron
        19:30:01.123  #1043 table_updated       guest assigned  table 12, needs cleaning, with John Doe  by the clock
        19:30:01.123  #1044 guest_deleted       deleted         John Doe  by …abcdef
        19:30:01.123  #1045 atomic_transaction_complete                 2 things changed at once  by the clock
                     1 users on 3 devices
                     had to skip to #2000: the events in between are no longer kept
                     the server says: That was not understood.
        ");
    }

    #[test]
    fn colours_only_when_wanted() {
        let names = Names::default();
        for frame in frames() {
            let plain = line(&frame, &names, PLAIN).unwrap_or_default();
            assert!(!plain.contains('\x1b'), "{plain}");
            let colored = line(
                &frame,
                &names,
                Look {
                    color: true,
                    ..PLAIN
                },
            )
            .unwrap_or_default();
            assert_eq!(colored.contains('\x1b'), !plain.is_empty());
        }
    }
}

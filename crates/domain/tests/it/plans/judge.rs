//! What is expected of each statement of the hot paths.

use std::collections::{BTreeMap, BTreeSet};

use super::statements::{Executed, Node, Operation};

/// How statements are planned. One that is prepared is planned for any values after five uses; a
/// plan that is good only while the values are known is a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planning {
    /// For the values at hand.
    Custom,
    /// For any values.
    Generic,
}

impl Planning {
    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::Custom => "force_custom_plan",
            Self::Generic => "force_generic_plan",
        }
    }
}

/// The most rows that a statement may look at. The largest house has 200 tables, and some 200
/// parties on its floor; a page has as many entries, and a list of bookings 30 days of 50.
const MOST_ROWS: f64 = 2_000.0;

/// Tables that have a row for each worker, or one.
const TINY: [&str; 3] = ["database_identity", "presence_workers", "primary_beat"];

/// Operations that look at more, and why they may.
const LOOK_AT_MORE: &[(&str, &str)] = &[
    ("guests.list (of all, changed lately)", HISTORY),
    ("guests.list (of all, who did not come)", RARE),
    ("guests.list (of all, who did not come, next page)", RARE),
    ("reservations.list (at a table)", RARE),
    ("reservations.list (at a table, next page)", RARE),
    ("reservations.list (to come)", RARE),
    ("audit.list (by somebody of a kind)", RARE),
    ("audit.list (of two kinds)", RARE),
    ("audit.list (of two kinds, next page)", RARE),
    ("tables.list (all, next page)", PARTIES),
    ("tables.list (free)", PARTIES),
    ("tables.list (of a section)", PARTIES),
    ("log.prune ()", EACH_LOG),
    ("log.prune (nothing)", EACH_LOG),
    ("privacy.export ()", PERSON),
    ("privacy.erase ()", PERSON),
];
const HISTORY: &str = "the time of the last change has no index, so that changes stay in place";
const RARE: &str = "a house's history is gone through, in its order, until the page is full";
const PARTIES: &str =
    "tables are compared with parties that sit, some 200 with some 100, in memory";
const EACH_LOG: &str = "each log's oldest event is looked up, once in a while";
const PERSON: &str = "a person is looked for in all that a house keeps, seldom";

/// Operations of which no statement may be prepared anew each time. (Those that insert rows are not
/// among them: their INSERT is.)
const PREPARED: &[&str] = &[
    "due.find",
    "floor.snapshot",
    "floor.view",
    "guests.delete",
    "guests.get",
    "guests.list",
    "log.delta",
    "log.heads",
    "log.read",
    "log.tail",
    "sessions.standing",
    "tables.clear",
    "tables.list",
    "tables.update",
    "waitlist.quote",
];

/// All that is wrong with what was done.
pub(super) fn judge(done: &[Operation], planning: Planning) -> Vec<String> {
    let again = || done.iter().filter(|one| one.round % super::ROUNDS > 0);
    // What is parsed anew each time is always planned for the values at hand.
    let unprepared: BTreeSet<&String> = again().flat_map(|one| &one.parsed).collect();
    let mut faults = BTreeMap::new();
    for operation in done {
        let called = format!("{} ({})", operation.name, operation.what);
        let may_look = LOOK_AT_MORE.iter().any(|(one, _)| *one == called);
        for executed in &operation.executed {
            if planning == Planning::Generic && unprepared.contains(&executed.text) {
                continue;
            }
            let read = read(&executed.plan);
            let scanned = scanned(&executed.plan);
            let fault = if let Some(table) = scanned.filter(|_| !may_look) {
                format!("reads all of {table}")
            } else if read > MOST_ROWS && !may_look {
                format!("looks at {read} rows")
            } else {
                continue;
            };
            // The same statement in every round is one fault.
            let said = format!("{called}, {planning:?} plan: {fault}\n{}", shown(executed));
            faults
                .entry((called.clone(), executed.text.clone()))
                .or_insert(said);
        }
    }
    for operation in again() {
        for text in &operation.parsed {
            if PREPARED.contains(&operation.name.as_str()) {
                let said = format!("{}: prepared anew each time: {text}", operation.name);
                faults.insert((operation.name.clone(), text.clone()), said);
            }
        }
    }
    faults.extend(done.iter().filter_map(looks_again));
    faults.into_values().collect()
}

/// A person is looked for in all that a house keeps: once, and what is read there is not taken apart
/// by the database row by row.
fn looks_again(operation: &Operation) -> Option<((String, String), String)> {
    if !operation.name.starts_with("privacy.") {
        return None;
    }
    let mut looks: BTreeMap<&str, usize> = BTreeMap::new();
    for executed in &operation.executed {
        for table in relations(&executed.plan) {
            if read(&executed.plan) > MOST_ROWS {
                *looks.entry(table).or_default() += 1;
            }
        }
    }
    let many = looks.into_iter().find(|(_, count)| *count > 1);
    let again = many.map(|(table, count)| format!("looks through {table} {count} times"));
    let long = operation
        .executed
        .iter()
        .filter(|one| read(&one.plan) > MOST_ROWS);
    let parsed = long
        .map(|one| &one.text)
        .find(|text| text.contains("::jsonb"));
    let parsed = parsed.map(|text| format!("parses what it looks through: {text}"));
    let fault = again.or(parsed)?;
    let name = operation.name.clone();
    Some(((name.clone(), fault.clone()), format!("{name}: {fault}")))
}

/// The tables that a statement reads.
fn relations(node: &Node) -> BTreeSet<&str> {
    let parts = node.parts.iter().flat_map(relations);
    node.relation.as_deref().into_iter().chain(parts).collect()
}

/// How many rows were looked at, those included that were then left out.
fn read(node: &Node) -> f64 {
    let kept = if node.relation.is_some() {
        node.rows
    } else {
        0.0
    };
    let out = node.filtered + node.rechecked + node.unjoined;
    let own = (kept + out) * node.loops;
    own + node.parts.iter().map(read).sum::<f64>()
}

/// A table that was read from beginning to end, and is not tiny.
fn scanned(node: &Node) -> Option<&str> {
    let own = node
        .relation
        .as_deref()
        .filter(|table| node.kind == "Seq Scan" && node.loops > 0.0 && !TINY.contains(table));
    own.or_else(|| node.parts.iter().find_map(scanned))
}

/// A statement and its plan, to be read by somebody.
fn shown(executed: &Executed) -> String {
    let mut lines = vec![
        executed
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    ];
    show(&executed.plan, 1, &mut lines);
    lines.join("\n")
}

fn show(node: &Node, depth: usize, lines: &mut Vec<String>) {
    let mut line = format!("{}{}", "  ".repeat(depth), node.kind);
    for (word, name) in [("on", &node.relation), ("by", &node.index)] {
        if let Some(name) = name {
            line.push_str(&format!(" {word} {name}"));
        }
    }
    let out = node.filtered + node.rechecked + node.unjoined;
    line.push_str(&format!(
        ": {} rows, {out} left out, {} times",
        node.rows, node.loops
    ));
    lines.push(line);
    for part in &node.parts {
        show(part, depth + 1, lines);
    }
}

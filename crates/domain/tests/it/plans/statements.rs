//! What a server wrote down: the statements of each operation, in their order.

use serde::Deserialize;
use serde_json::Value;

/// Something that was done, with all that the server did for it.
pub(super) struct Operation {
    pub(super) name: String,
    /// Which of those with the name.
    pub(super) what: String,
    pub(super) round: u64,
    /// The texts of statements that were parsed.
    pub(super) parsed: Vec<String>,
    pub(super) executed: Vec<Executed>,
}

/// A statement that was executed, by whomever: us, a foreign key, a trigger.
#[derive(Deserialize)]
pub(super) struct Executed {
    #[serde(rename = "Query Text")]
    pub(super) text: String,
    #[serde(rename = "Plan")]
    pub(super) plan: Node,
}

/// A step of a plan.
#[derive(Deserialize)]
pub(super) struct Node {
    #[serde(rename = "Node Type")]
    pub(super) kind: String,
    #[serde(rename = "Relation Name")]
    pub(super) relation: Option<String>,
    #[serde(rename = "Index Name")]
    pub(super) index: Option<String>,
    /// How often it was done; the numbers of rows are averages.
    #[serde(rename = "Actual Loops")]
    pub(super) loops: f64,
    #[serde(rename = "Actual Rows")]
    pub(super) rows: f64,
    #[serde(rename = "Rows Removed by Filter", default)]
    pub(super) filtered: f64,
    #[serde(rename = "Rows Removed by Index Recheck", default)]
    pub(super) rechecked: f64,
    #[serde(rename = "Rows Removed by Join Filter", default)]
    pub(super) unjoined: f64,
    #[serde(rename = "Plans", default)]
    pub(super) parts: Vec<Self>,
}

const MARK: &str = "SELECT 'mark:";

/// A statement that tells which operation begins.
pub(super) fn mark(setting: &str, round: u64, name: &str, what: &str) -> String {
    let what = what.replace('\'', "");
    format!("{MARK}{setting}:{round}:{name}:{what}'")
}

/// The operations that were marked with `setting`.
pub(super) fn read(log: &str, setting: &str) -> Vec<Operation> {
    #[derive(Deserialize)]
    struct Line {
        #[serde(default)]
        message: String,
    }
    let mut done: Vec<Operation> = Vec::new();
    let mut is_ours = false;
    for line in log.lines() {
        let Line { message } = serde_json::from_str(line).unwrap();
        let Some((_, said)) = message.split_once(" ms  ") else {
            continue;
        };
        if let Some(plan) = said.strip_prefix("plan:\n") {
            let executed: Executed = serde_json::from_str::<Value>(plan)
                .and_then(serde_json::from_value)
                .unwrap_or_else(|error| panic!("{error} in {plan}"));
            if let Some(mark) = executed.text.strip_prefix(MARK) {
                let parts: Vec<&str> = mark.trim_end_matches('\'').splitn(4, ':').collect();
                let [of, round, name, what] = parts[..] else {
                    panic!("no mark: {mark}");
                };
                is_ours = of == setting;
                if is_ours {
                    done.push(Operation {
                        name: name.to_owned(),
                        what: what.to_owned(),
                        round: round.parse().unwrap(),
                        parsed: Vec::new(),
                        executed: Vec::new(),
                    });
                }
            } else if let Some(operation) = done.last_mut().filter(|_| is_ours) {
                operation.executed.push(executed);
            }
        } else if let Some(parsed) = said.strip_prefix("parse ")
            && let Some((_, text)) = parsed.split_once(": ")
            && !text.starts_with(MARK)
            && let Some(operation) = done.last_mut().filter(|_| is_ours)
        {
            operation.parsed.push(text.to_owned());
        }
    }
    done
}

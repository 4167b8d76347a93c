//! Alerts and dashboards ask for what there is, and each alert says what to do.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use uuid::Uuid;

use super::fleet::root;
use crate::support::{Restaurant, TestApp};

fn read(path: &str) -> String {
    fs::read_to_string(root().join("deploy").join(path)).unwrap()
}

/// The words of a text that begin like our metrics or those about the process. What is written
/// behind a colon is the name of a recording rule.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("qtable_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

fn recorded_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("job:") || word.starts_with("instance:"))
        .map(str::to_owned)
        .collect()
}

/// What the rules compute, and all that rules and dashboards ask for.
fn asked_for() -> (BTreeSet<String>, String) {
    let (rules, alerts) = (read("prometheus/rules.yml"), read("prometheus/alerts.yml"));
    let recorded = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- record: "))
        .map(str::to_owned)
        .collect();
    let mut text = String::new();
    for line in rules.lines().chain(alerts.lines()) {
        let line = line.trim();
        let is_name = [
            "#",
            "- name:",
            "- record:",
            "- alert:",
            "summary:",
            "description:",
        ]
        .iter()
        .any(|start| line.starts_with(start));
        if !is_name {
            text.push_str(line);
            text.push('\n');
        }
    }
    let mut boards = 0;
    for file in fs::read_dir(root().join("deploy/grafana/dashboards")).unwrap() {
        let board: Value =
            serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                text.push_str(target["expr"].as_str().unwrap());
                text.push('\n');
            }
        }
        boards += 1;
    }
    assert_eq!(boards, 4);
    (recorded, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_is_asked_for_exists() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    house.guest("Ann", 2).await;
    let page = app.client(0).get("/metrics").await.text;
    app.finish().await;

    let mut exist = BTreeSet::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        exist.insert(name.to_owned());
        if kind == "histogram" {
            exist.extend(["bucket", "count", "sum"].map(|part| format!("{name}_{part}")));
        }
    }
    // A family that has no member yet is not on the page; failures are one by operation.
    exist.insert("qtable_database_operation_failures_total".to_owned());
    // There is no replica here; its own test looks for these.
    exist.extend(["up", "lag_seconds"].map(|part| format!("qtable_replica_{part}")));
    // Limits are off here; its own test looks for this.
    exist.insert("qtable_work_refused_total".to_owned());
    let (recorded, text) = asked_for();
    let asked = metrics_in(&text);
    assert!(asked.len() > 40, "{asked:?}");
    let missing: Vec<_> = asked.difference(&exist).collect();
    assert!(missing.is_empty(), "nobody counts {missing:?}");
    let missing: Vec<_> = recorded_in(&text).difference(&recorded).cloned().collect();
    assert!(missing.is_empty(), "no rule records {missing:?}");
    // And the other way: what is counted is shown somewhere.
    let ours = exist.iter().filter(|name| name.starts_with("qtable_"));
    let is_shown = |name: &String| {
        asked.contains(name)
            || asked
                .iter()
                .any(|asked| asked.starts_with(&format!("{name}_")))
            || ["_sum", "_count", "_bucket"]
                .iter()
                .any(|end| name.ends_with(end))
    };
    let unseen: Vec<_> = ours.filter(|name| !is_shown(name)).collect();
    assert!(unseen.is_empty(), "on no dashboard: {unseen:?}");
}

/// Whoever seats a party, and however: it is counted once.
#[tokio::test(flavor = "multi_thread")]
async fn covers_waits_and_turns_are_counted() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let table = house.table("12", 4).await;
    let party = house.path(&format!("/guests/{}", house.guest("Ann", 3).await));
    for change in [
        json!({"tableId": table}),
        json!({"notes": "window"}),
        json!({"status": "completed"}),
    ] {
        house.owner.put(&party, change).await.expect(200);
    }
    let atomic = json!({"transactionId": Uuid::now_v7(), "operations": [
        {"op": "create", "entity": "guest",
         "data": {"guestName": "Ben", "partySize": 2, "tableId": table}},
    ]});
    let atomic = house.owner.post(&house.path("/atomic"), atomic).await;
    assert_eq!(atomic.status / 100, 2, "{atomic:?}");
    let page = app.client(0).get("/metrics").await.text;
    for line in [
        "qtable_parties_seated_total 2",
        "qtable_covers_seated_total 5",
        "qtable_party_wait_seconds_count 2",
        "qtable_party_turn_seconds_count 1",
        "qtable_parties_ended_total{status=\"completed\"} 1",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    app.finish().await;
}

/// An alert in the night leads to the place that says what to do, and no place is about nothing.
#[test]
fn every_alert_has_its_section_in_the_runbook() {
    let (alerts, runbook) = (read("prometheus/alerts.yml"), read("README.md"));
    let mut names = BTreeSet::new();
    let mut name = "";
    for line in alerts.lines().map(str::trim) {
        if let Some(found) = line.strip_prefix("- alert: ") {
            name = found;
            names.insert(found);
        }
        if let Some(link) = line.strip_prefix("runbook_url: ") {
            assert_eq!(link, format!("deploy/README.md#{}", name.to_lowercase()));
        }
    }
    assert_eq!(alerts.matches("runbook_url: ").count(), names.len());
    let section = runbook
        .split_once("\n## Alerts\n")
        .and_then(|(_, rest)| rest.split("\n## ").next())
        .expect("a section about alerts");
    let described: BTreeSet<_> = section
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    assert_eq!(described, names);
    for part in section.split("\n### ").skip(1) {
        let says_what_to_do = part.contains("Look") || part.contains("Do");
        assert!(says_what_to_do && part.len() > 100, "what to do? {part}");
    }
}

//! The document of what is said on sockets and streams, against the rules of AsyncAPI 3.

use std::collections::BTreeSet;

use serde_json::Value;
use wire::live::events::EventKind;

use crate::support::TestApp;

/// What an object of each kind may have in it, as far as it is used here.
const ROOT: &[&str] = &[
    "asyncapi",
    "info",
    "defaultContentType",
    "channels",
    "operations",
    "components",
];
const CHANNEL: &[&str] = &["address", "title", "description", "messages", "bindings"];
const OPERATION: &[&str] = &[
    "action", "title", "channel", "messages", "security", "bindings",
];
const MESSAGE: &[&str] = &["name", "summary", "payload"];

#[track_caller]
fn fields(object: &Value, allowed: &[&str], required: &[&str]) {
    let object = object.as_object().unwrap();
    for name in object.keys() {
        assert!(allowed.contains(&name.as_str()), "{name} has no place here");
    }
    for name in required {
        assert!(object.contains_key(*name), "{name} is missing");
    }
}

/// Every reference below `value` leads somewhere.
fn follow(document: &Value, value: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(
                    document.pointer(pointer).is_some(),
                    "{reference} leads nowhere"
                );
            }
            object.values().for_each(|inner| follow(document, inner));
        }
        Value::Array(items) => items.iter().for_each(|inner| follow(document, inner)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_keeps_the_rules() {
    let app = TestApp::with(1, &[]).await;
    let document = app.client(0).get("/asyncapi.json").await.expect(200);
    app.finish().await;
    fields(&document, ROOT, &["asyncapi", "info"]);
    assert_eq!(document["asyncapi"], "3.0.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    follow(&document, &document);

    let channels = document["channels"].as_object().unwrap();
    for channel in channels.values() {
        fields(channel, CHANNEL, &["address", "messages"]);
    }
    let mut said = BTreeSet::new();
    for operation in document["operations"].as_object().unwrap().values() {
        fields(operation, OPERATION, &["action", "channel"]);
        assert!(["send", "receive"].contains(&operation["action"].as_str().unwrap()));
        let channel = operation["channel"]["$ref"].as_str().unwrap();
        for message in operation["messages"].as_array().unwrap() {
            // A message of an operation is one of its channel's, not of the components'.
            let reference = message["$ref"].as_str().unwrap();
            let name = reference
                .strip_prefix(&format!("{channel}/messages/"))
                .unwrap();
            said.insert(name.to_owned());
        }
    }
    let messages = document["components"]["messages"].as_object().unwrap();
    for (name, message) in messages {
        fields(message, MESSAGE, &["name", "payload"]);
        assert_eq!(&message["name"], name);
    }
    assert_eq!(
        said,
        messages.keys().cloned().collect(),
        "messages nobody says"
    );
    for kind in EventKind::ALL {
        assert!(said.contains(kind.as_str()), "{kind} is missing");
    }
    for name in [
        "restaurant_connect",
        "closing",
        "presence",
        "full_sync",
        "ping",
        "auth",
    ] {
        assert!(said.contains(name), "{name} is missing");
    }
}

//! Every frame that a test's client receives, held against `/asyncapi.json`.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Of each kind of frame, what the document says of it; compiled once.
static KINDS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(server::asyncapi()).unwrap();
    let mut components = document["components"].clone();
    // What is part of an `allOf` must leave the other parts' fields to them.
    let parts: HashSet<String> = components["messages"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|message| message["payload"]["allOf"].as_array().into_iter().flatten())
        .filter_map(|part| Some(part["$ref"].as_str()?.rsplit_once('/')?.1.to_owned()))
        .collect();
    for (name, schema) in components["schemas"].as_object_mut().unwrap() {
        tighten(schema, parts.contains(name));
    }
    let messages = components["messages"].as_object_mut().unwrap();
    for message in messages.values_mut() {
        tighten(&mut message["payload"], false);
    }
    let names: Vec<String> = messages.keys().cloned().collect();
    names
        .into_iter()
        .map(|name| {
            let root = json!({
                "$ref": format!("#/components/messages/{name}/payload"),
                "components": components,
            });
            let validator = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .should_validate_formats(true)
                .build(&root)
                .unwrap();
            (name, validator)
        })
        .collect()
});

/// The document leaves room for fields to come; here everything must be in it.
fn tighten(schema: &mut Value, is_part: bool) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(parts)) = object.get_mut("allOf") {
                parts.iter_mut().for_each(|part| tighten(part, true));
                object.insert("unevaluatedProperties".into(), json!(false));
            }
            for (name, inner) in object.iter_mut().filter(|(name, _)| *name != "allOf") {
                if name == "properties" {
                    let fields = inner.as_object_mut().unwrap().values_mut();
                    fields.for_each(|field| tighten(field, false));
                } else {
                    tighten(inner, false);
                }
            }
            let is_open = object.contains_key("additionalProperties");
            if object.contains_key("properties") && !is_part && !is_open {
                object.insert("additionalProperties".into(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| tighten(item, false)),
        _ => {}
    }
}

/// Frames that were checked before: many sessions get the same.
static CHECKED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Fails the test if the frame is not as the document says.
#[track_caller]
pub fn check(text: &str) {
    check_as(text, "");
}

/// The same for whoever follows a thing by itself: events have a form of their own.
#[track_caller]
pub fn check_own(text: &str) {
    check_as(text, "own_");
}

#[track_caller]
fn check_as(text: &str, form: &str) {
    if CHECKED.lock().contains(text) {
        return;
    }
    let frame: Value = serde_json::from_str(text).unwrap();
    let kind = frame["type"].as_str().unwrap_or_default();
    let own = KINDS.get(&format!("{form}{kind}"));
    let is_event = kind.parse::<wire::live::events::EventKind>().is_ok();
    let validator = own.or_else(|| KINDS.get(kind).filter(|_| form.is_empty() || !is_event));
    let validator = validator.unwrap_or_else(|| panic!("not in the document: {text}"));
    let faults: Vec<String> = validator
        .iter_errors(&frame)
        .map(|fault| format!("{} at {}", fault, fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{text}: {faults:#?}");
    CHECKED.lock().insert(text.to_owned());
}

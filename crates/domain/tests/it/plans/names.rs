//! Which operations there are: those that a worker gives a name to when it uses the database.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where workers use the database.
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src");

/// Operations that need not be quick, and why.
const SELDOM: &[(&str, &str)] = &[
    ("accounts.admin", "once, by whoever runs the platform"),
    (
        "privacy.note_export",
        "its entry is that of every other change",
    ),
    (
        "menu.import",
        "a file of a whole menu, taken apart row by row",
    ),
];

/// What looks like a name of an operation, and is none.
const OTHERS: [&str; 9] = [
    "api.json",
    "door.example",
    "example.com",
    "http.route",
    "menu.csv",
    "menu.json",
    "otel.status_code",
    "service.version",
    "style.css",
];

/// The operations of the workers that were not among those that were done.
pub(super) fn missing(done: &[String]) -> Vec<String> {
    let mut names = BTreeSet::new();
    collect(Path::new(SERVER), &mut names);
    assert!(names.len() > 50, "the operations were not found: {names:?}");
    names
        .into_iter()
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .filter(|name| !done.contains(name))
        .filter(|name| !SELDOM.iter().any(|(seldom, _)| seldom == name))
        .map(|name| format!("{name} is not done here, nor among those that are done seldom"))
        .collect()
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Commands are run by hand.
        if path.is_dir() && !path.ends_with("cli") {
            collect(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            names.extend(
                text.split('"')
                    .filter(|word| is_name(word))
                    .map(str::to_owned),
            );
        }
    }
}

/// Two words with a point in between.
fn is_name(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    text.split_once('.')
        .is_some_and(|(one, other)| is_word(one) && is_word(other))
}

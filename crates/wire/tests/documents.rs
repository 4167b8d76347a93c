//! The documents say what is there: every file they name exists, and so does every test.
#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and cannot get fails the test"
)]

mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders whose name begins a path in a document, where they are not at the top.
const CRATES: [&str; 7] = [
    "wire", "tls", "domain", "realtime", "server", "loadgen", "testkit",
];

fn top() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap().parent().unwrap().to_path_buf()
}

/// What is written in a document as code, by what stands between backquotes or brackets.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "`()[]<>,;\"'".contains(c))
        .map(|word| word.trim_end_matches(['.', ':']))
}

/// The files that a document names: those of a crate, and those of a folder at the top.
fn files(text: &str) -> BTreeSet<&str> {
    let is_path = |word: &&str| {
        let Some((first, rest)) = word.split_once('/') else {
            return false;
        };
        match first {
            "crates" | "migrations" | "deploy" | "scripts" | "docs" | ".ci" => !rest.is_empty(),
            first => {
                CRATES.contains(&first) && (rest.starts_with("src/") || rest.starts_with("tests/"))
            }
        }
    };
    let is_plain = |word: &&str| !word.contains(['*', '{', '…', '$', '#', '=']);
    words(text).filter(is_path).filter(is_plain).collect()
}

/// The tests that commands of a document name: a crate, and the words by which tests are chosen.
fn tests(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (at, command) in text.match_indices("scripts/test -p ") {
        let rest = text.get(at + command.len()..).unwrap_or_default();
        let line = rest.split(['`', '\n', '#']).next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let of = words.next().unwrap_or_default().to_owned();
        let chosen = words.filter(|word| !word.starts_with('-') && *word != "it");
        found.push((of, chosen.map(str::to_owned).collect()));
    }
    found
}

/// Whether a crate has a module or function for every part of a path.
fn has(of: &str, path: &str, sources: &[(PathBuf, String)]) -> bool {
    let folder = top().join("crates").join(of);
    let parts: Vec<_> = path.split("::").filter(|part| !part.is_empty()).collect();
    let is_module = |part: &str, file: &Path| {
        file.components().any(|one| one.as_os_str() == part)
            || file.file_stem().is_some_and(|stem| stem == part)
    };
    sources
        .iter()
        .filter(|(file, _)| file.starts_with(&folder))
        .any(|(file, text)| {
            parts.iter().all(|part| {
                is_module(part, file.strip_prefix(&folder).unwrap())
                    || text.contains(&format!("fn {part}"))
                    || text.contains(&format!("mod {part}"))
            })
        })
}

fn documents() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    tree::files(&top(), "md").into_iter().map(read).collect()
}

#[test]
fn every_file_that_is_named_is_there() {
    let mut missing = Vec::new();
    for (document, text) in documents() {
        for file in files(&text) {
            let places = [top().join(file), top().join("crates").join(file)];
            if !places.iter().any(|place| place.exists()) {
                missing.push(format!("{}: {file}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_test_that_is_named_is_there() {
    let sources: Vec<_> = tree::files(&top().join("crates"), "rs")
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    let (mut missing, mut seen) = (Vec::new(), 0);
    for (document, text) in documents() {
        for (of, chosen) in tests(&text) {
            for path in chosen {
                seen += 1;
                if !has(&of, &path, &sources) {
                    missing.push(format!("{}: {of} {path}", document.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(seen > 10, "the documents name tests: {seen}");
}

#[test]
fn what_documents_name_is_found() {
    let text = "see [the rows](crates/wire/src/lib.rs), `server/src/live/`, `realtime/events` and \
                `scripts/test -p server --test it live::storm` or `scripts/test -p domain -- a b`.";
    let named: Vec<_> = files(text).into_iter().collect();
    assert_eq!(
        named,
        ["crates/wire/src/lib.rs", "scripts/test", "server/src/live/"]
    );
    let chosen = tests(text);
    assert_eq!(chosen[0], ("server".into(), vec!["live::storm".into()]));
    assert_eq!(chosen[1], ("domain".into(), vec!["a".into(), "b".into()]));
    assert!(!has("server", "live::no_such_test", &[]));
}

//! The walls of the house: what rooms share knows no room.
//!
//! A room (`floor`, `menu`, …) may use the ground and is used by what puts rooms together. Whatever
//! is neither is ground, also when it is new. What the ground still knows of a room is listed here
//! with the reason; a line that is not needed any more has to go.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "what a test needs and cannot get fails the test"
)]

mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use wire::entities::Topic;

/// The crates of the house.
const HOUSE: [&str; 4] = ["wire", "domain", "realtime", "server"];

/// The rooms, which are the topics of the log: in each crate a folder or a file of this name.
static ROOMS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let topics = Topic::ALL.iter();
    topics
        .map(|topic| format!("{topic:?}").to_lowercase())
        .collect()
});

/// What puts rooms together, and so knows them all: a line for each room, or for each of its things.
const TOGETHER: [&str; 8] = [
    "wire/src/entities.rs",
    "wire/src/rooms.rs",
    "domain/src/rooms.rs",
    "server/src/app.rs",
    "server/src/rooms.rs",
    "server/src/routes.rs",
    "server/src/describe/openapi.rs",
    // Commands: they fill and look at a whole house.
    "server/src/cli",
];

/// A file of the ground, and the room that it knows.
type Known = (&'static str, &'static str);

/// What the ground still knows of rooms, and why.
const EXCEPTIONS: &[(&str, &[Known])] = &[
    (
        "who calls is found by a device's session or a socket's ticket",
        &[
            ("server/src/access/auth.rs", "people"),
            ("server/src/access/standings.rs", "people"),
            ("server/src/live/socket_tickets.rs", "people"),
        ],
    ),
    (
        "an account of no restaurant asks for one by its address",
        &[("server/src/access/auth.rs", "venue")],
    ),
    (
        "pages of links that people are sent",
        &[
            ("server/src/pages/invitation.rs", "people"),
            ("server/src/pages/reset.rs", "people"),
        ],
    ),
    (
        "the one public frame has a description of its own",
        &[("server/src/describe/asyncapi.rs", "menu")],
    ),
    (
        "where a log stands is read with the restaurant, by whose days snapshots are told apart",
        &[("server/src/snapshots.rs", "venue")],
    ),
];

/// The names that stand after a path: one, or those of a group.
fn names(after: &str) -> Vec<&str> {
    let word = |text: &'_ str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        end.unwrap_or(text.len())
    };
    let Some(group) = after.strip_prefix('{') else {
        return vec![&after[..word(after)]];
    };
    let (mut depth, mut names, mut is_first) = (0_usize, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_first = true,
            c if is_first && (c.is_alphabetic() || c == '_') => {
                names.push(&group[at..at + word(&group[at..])]);
                is_first = false;
            }
            _ => {}
        }
    }
    names
}

/// The rooms that a text names by their paths; `depth` is how far below its crate's root it stands.
fn rooms_in(text: &str, depth: usize) -> BTreeSet<&'static str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next();
    let code: String = code
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut roots: Vec<String> = ["crate", "self"]
        .iter()
        .chain(&HOUSE)
        .map(|root| format!("{root}::"))
        .collect();
    // From the root itself, `self` is the root; from below, as many steps up.
    roots.retain(|root| root != "self::" || depth == 0);
    if depth > 0 {
        roots.push("super::".repeat(depth));
    }
    let mut found = BTreeSet::new();
    for root in roots {
        for (at, _) in code.match_indices(&root) {
            let before = code[..at].chars().next_back();
            let is_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
            if !is_word {
                let named = names(&code[at + root.len()..]);
                let rooms = ROOMS.iter().map(String::as_str);
                found.extend(rooms.filter(|room| named.contains(room)));
            }
        }
    }
    found
}

/// How far below its crate's root a module stands, by the path of its file below `src`.
fn depth(file: &Path) -> usize {
    let is_its_folders = ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .any(|name| file.ends_with(name));
    file.components().count() - usize::from(is_its_folders)
}

/// Whether a file belongs to the ground.
fn is_ground(file: &str, below_src: &Path) -> bool {
    let first = below_src
        .iter()
        .next()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let name = first.trim_end_matches(".rs");
    let is_room = ROOMS.iter().any(|room| room == name);
    let is_test = below_src
        .iter()
        .any(|part| part == "tests" || part == "tests.rs");
    let is_together = TOGETHER
        .iter()
        .any(|place| Path::new(file).starts_with(place));
    !is_room && !is_test && !is_together
}

/// What the ground knows of rooms, as `file knows room`.
fn known() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for one in HOUSE {
        let src = crates.join(one).join("src");
        for path in tree::files(&src, "rs") {
            let below_src = path.strip_prefix(&src).unwrap();
            let file = path.strip_prefix(crates).unwrap().to_str().unwrap();
            if is_ground(file, below_src) {
                let text = fs::read_to_string(&path).unwrap();
                let rooms = rooms_in(&text, depth(below_src));
                found.extend(rooms.into_iter().map(|room| format!("{file} knows {room}")));
            }
        }
    }
    found
}

#[test]
fn the_ground_knows_no_room() {
    let listed: Vec<String> = EXCEPTIONS
        .iter()
        .flat_map(|(_, known)| *known)
        .map(|(file, room)| format!("{file} knows {room}"))
        .collect();
    let excepted: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(excepted.len(), listed.len(), "an exception is listed twice");
    let known = known();
    let new: Vec<_> = known.difference(&excepted).collect();
    assert!(new.is_empty(), "the ground is to know no room: {new:#?}");
    let gone: Vec<_> = excepted.difference(&known).collect();
    assert!(gone.is_empty(), "take these off the list: {gone:#?}");
}

#[test]
fn the_rooms_are_there() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for room in ROOMS.iter() {
        for one in ["wire", "domain", "server"] {
            assert!(
                crates.join(one).join("src").join(room).is_dir(),
                "{one}: {room}"
            );
        }
    }
    for place in TOGETHER {
        assert!(crates.join(place).exists(), "{place}");
    }
}

#[test]
fn every_way_to_name_a_room_is_seen() {
    let seen = |text: &str| rooms_in(text, 2).into_iter().collect::<Vec<_>>();
    for text in [
        "use crate::floor;",
        "use crate::floor::guests::Guest;",
        "use crate::{audit, floor::guests, page};",
        "use crate::{\n    audit::{Entry, menu},\n    floor,\n};",
        "use domain::floor::holds;",
        "use wire::{ErrorCode, floor::{guests::Guest, tables::Table}};",
        "use super::super::floor::tables;",
        "fn read() -> wire::floor::Snapshot {",
        "let rows = crate::floor::guests::list(conn);",
        "macro_rules! m { () => { $crate::floor::guests } }",
        "use crate::floor as f; // and why",
    ] {
        assert_eq!(seen(text), ["floor"], "{text}");
    }
    assert_eq!(seen("use crate::{floor, menu::dishes};"), ["floor", "menu"]);
    for text in [
        "use crate::floors::guests;",
        "use other_crate::floor;",
        "use tokio::floor;",
        "use super::floor::Part;",
        "use crate::describe::{floor, menu};",
        "//! As [`crate::floor`] has it.",
        "    /// See `domain::menu`.",
        "let floor = floor::Part::new();",
        "use crate::page;\n\n#[cfg(test)]\nmod tests {\n    use crate::floor;\n}",
    ] {
        assert!(seen(text).is_empty(), "{text}");
    }
}

#[test]
fn a_module_knows_how_deep_it_stands() {
    for (file, deep) in [
        ("lib.rs", 0),
        ("state.rs", 1),
        ("work/mod.rs", 1),
        ("work/background.rs", 2),
        ("together/sync/mod.rs", 2),
    ] {
        assert_eq!(depth(Path::new(file)), deep, "{file}");
    }
    assert_eq!(rooms_in("pub use self::floor::day;", 0).len(), 1);
    assert_eq!(rooms_in("use super::floor::day;", 1).len(), 1);
}

//! The walk-through of a new room fits the tree: what it makes is not there yet, every line after which
//! something goes is there once, and a room touches as little beside its own folders as the page says.
//!
//! `scripts/check-room` lets this test write what the page says into a copy of the tree, and builds
//! that.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test needs and cannot get fails the test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Into which copy of the tree the page is to be carried out.
const INTO: &str = "WALKTHROUGH_INTO";

/// How many files a room may touch beside its own and the lists of rooms.
const MOST: usize = 4;

fn top() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap().parent().unwrap().to_path_buf()
}

/// Where a block of the page goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    /// It is the whole of a new file.
    New,
    /// It comes after this line.
    After(&'a str),
    /// It comes instead of this line.
    Instead(&'a str),
}

#[derive(Debug)]
struct Block<'a> {
    file: &'a str,
    place: Place<'a>,
    text: String,
}

/// The blocks of a page that go into files.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let (mut blocks, mut lines) = (Vec::new(), page.lines());
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let inside: String = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .flat_map(|line| [line, "\n"])
            .collect();
        if let Some((_, file)) = info.split_once(" new=") {
            let (place, text) = (Place::New, inside);
            blocks.push(Block { file, place, text });
        } else if let Some((_, rest)) = info.split_once(" in=") {
            let (file, place) = rest
                .split_once(" after=")
                .map(|(file, line)| (file, Place::After(line)))
                .or_else(|| {
                    let (file, line) = rest.split_once(" instead=")?;
                    Some((file, Place::Instead(line)))
                })
                .unwrap_or_else(|| panic!("where does it go? {line}"));
            let text = inside;
            blocks.push(Block { file, place, text });
        }
    }
    blocks
}

/// A file with a block in it.
fn with(text: &str, block: &Block<'_>) -> String {
    let mut written = String::new();
    for line in text.lines() {
        match block.place {
            Place::Instead(other) if line == other => written.push_str(&block.text),
            Place::After(other) if line == other => {
                written.extend([line, "\n", &block.text]);
            }
            _ => written.extend([line, "\n"]),
        }
    }
    written
}

/// Carries the page out in a tree.
fn carry_out(blocks: &[Block<'_>], tree: &Path) {
    let mut faults = Vec::new();
    for block in blocks {
        let path = tree.join(block.file);
        match block.place {
            Place::New if path.exists() => faults.push(format!("{} is there", block.file)),
            Place::New => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &block.text).unwrap();
            }
            Place::After(_) | Place::Instead(_) => {
                let text = fs::read_to_string(&path).unwrap();
                fs::write(path, with(&text, block)).unwrap();
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// What does not fit the tree.
fn faults(blocks: &[Block<'_>], tree: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for Block { file, place, .. } in blocks {
        let path = tree.join(file);
        let (Place::After(wanted) | Place::Instead(wanted)) = place else {
            if path.exists() {
                faults.push(format!("{file} is there already"));
            }
            continue;
        };
        match fs::read_to_string(path) {
            Err(error) => faults.push(format!("{file}: {error}")),
            Ok(text) => match text.lines().filter(|line| line == wanted).count() {
                1 => {}
                count => faults.push(format!("{file} has {count} times: {wanted}")),
            },
        }
    }
    faults
}

/// What the room touches beside its own files, its tests and the lists of rooms: how many lines of
/// which file.
fn foreign<'a>(blocks: &'a [Block<'_>]) -> BTreeMap<&'a str, usize> {
    let mut foreign = BTreeMap::new();
    for Block { file, place, text } in blocks {
        let name = Path::new(file).file_name().unwrap();
        let is_list = ["entities.rs", "rooms.rs", "routes.rs"]
            .iter()
            .any(|list| name == *list);
        let is_own = *place == Place::New || file.contains("/tests/");
        if !is_list && !is_own {
            *foreign.entry(*file).or_default() += text.lines().count();
        }
    }
    foreign
}

fn page() -> String {
    fs::read_to_string(top().join("docs/adding-a-room.md")).unwrap()
}

#[test]
fn the_page_fits_the_tree() {
    let page = page();
    let blocks = blocks(&page);
    assert!(blocks.len() > 20, "{} blocks", blocks.len());
    let faults = faults(&blocks, &top());
    assert!(faults.is_empty(), "{faults:#?}");
    let foreign = foreign(&blocks);
    let lines: usize = foreign.values().sum();
    let said = format!("<!-- foreign: {} files, {lines} lines -->", foreign.len());
    assert!(page.contains(&said), "{said}: {foreign:#?}");
    assert!(foreign.len() <= MOST, "{foreign:#?}");
    if let Some(tree) = env::var_os(INTO) {
        carry_out(&blocks, Path::new(&tree));
    }
}

#[test]
fn blocks_are_read_and_put_in_their_places() {
    let page = "Text.\n\n```rust new=a.rs\none\n```\n\n```rust in=b.rs after=x = 1;\ntwo\n```\n\
                ```sh\nnot this\n```\n```rust in=b.rs instead=y\nthree\n```\n";
    let blocks = blocks(page);
    let places: Vec<_> = blocks
        .iter()
        .map(|block| (block.file, block.place))
        .collect();
    let (after, instead) = (Place::After("x = 1;"), Place::Instead("y"));
    assert_eq!(
        places,
        [("a.rs", Place::New), ("b.rs", after), ("b.rs", instead)]
    );
    let [_, after, instead] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    let text = with("x = 1;\ny\nz\n", after);
    assert_eq!(with(&text, instead), "x = 1;\ntwo\nthree\nz\n");
    assert_eq!(foreign(&blocks), BTreeMap::from([("b.rs", 2)]));
}

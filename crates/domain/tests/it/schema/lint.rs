//! Steps that would stop the workers of before, or lock a large table for as long as it takes to
//! read it, are refused before anybody applies them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Steps with lesser names were made before the first release: nobody ever applied them to a
/// database with restaurants in it.
const FIRST_RELEASE: &str = "2026-12-01";

/// What is done all the same, and why it does no harm: the step, the beginning of the statement,
/// the reason.
const ALLOWED: &[(&str, &str, &str)] = &[];

/// What is wrong with a step, one sentence for each statement.
fn faults(step: &str, sql: &str, runs_in_transaction: bool) -> Vec<String> {
    let statements = statements(sql);
    let mut faults = Vec::new();
    if !runs_in_transaction && statements.len() != 1 {
        faults.push(
            "a step outside a transaction must be one statement: several that are sent together \
             are a transaction"
                .to_owned(),
        );
    }
    let mut made = BTreeSet::new();
    for statement in &statements {
        if let Some(table) = statement.strip_prefix("create table ") {
            made.insert(first_word(table.trim_start_matches("if not exists ")));
            continue;
        }
        let is_allowed = ALLOWED
            .iter()
            .any(|(of, start, _)| *of == step && statement.starts_with(start));
        if let Some(fault) = fault(statement, &made)
            && !is_allowed
        {
            faults.push(format!("{fault}: {statement}"));
        }
    }
    faults
}

/// What is wrong with a statement, unless it is about a table that the same step made.
fn fault(statement: &str, made: &BTreeSet<&str>) -> Option<&'static str> {
    let has = |words: &str| statement.contains(words);
    if let Some(rest) = ["create index ", "create unique index "]
        .iter()
        .find_map(|start| statement.strip_prefix(start))
    {
        let table = first_word(rest.split_once(" on ")?.1.trim_start_matches("only "));
        return (!made.contains(table) && !has(" concurrently ")).then_some(
            "an index keeps writers out while it is built: CREATE INDEX CONCURRENTLY, in a step \
             of its own with run_in_transaction = false in metadata.toml",
        );
    }
    if let Some(rest) = statement.strip_prefix("alter table ") {
        let rest = rest
            .trim_start_matches("if exists ")
            .trim_start_matches("only ");
        return if made.contains(first_word(rest)) {
            None
        } else {
            fault_of_change(statement)
        };
    }
    if let Some(rest) = statement
        .strip_prefix("update ")
        .or_else(|| statement.strip_prefix("delete from "))
    {
        return (!made.contains(first_word(rest))).then_some(
            "a table is rewritten in one transaction: do it in batches, in the program",
        );
    }
    let refused = [
        (
            "drop table ",
            "the workers of before still use it: remove it a release later",
        ),
        (
            "drop index ",
            "this waits for everybody and keeps them out: DROP INDEX CONCURRENTLY",
        ),
        ("alter type ", "a type that is in use"),
        ("lock ", "nobody can work meanwhile"),
        ("cluster", "this rewrites a table while nobody can work"),
        ("vacuum full", "this rewrites a table while nobody can work"),
        ("reindex", "this keeps writers out: REINDEX … CONCURRENTLY"),
        ("truncate", "the workers of before still use it"),
    ];
    refused
        .iter()
        .find(|(start, _)| statement.starts_with(start) && !has(" concurrently "))
        .map(|(_, fault)| *fault)
}

fn fault_of_change(statement: &str) -> Option<&'static str> {
    let has = |words: &str| statement.contains(words);
    let adds_column = has(" add column ");
    if has(" rename ") || has(" drop column ") {
        return Some("the workers of before still use the name: remove it a release later");
    }
    if adds_column && has(" not null") && !has(" default ") {
        return Some("the workers of before do not fill this column: give it a default");
    }
    if adds_column && (has(" generated always as (") || has(" serial") || has("gen_random")) {
        return Some("every row is written again: add it empty, fill it in batches");
    }
    if has(" alter column ") && has(" type ") {
        return Some("every row is written again: add another column, fill it in batches");
    }
    if has(" set not null") {
        return Some("every row is read: add a CHECK … NOT VALID and validate it in a later step");
    }
    let is_constraint = has(" add constraint ")
        || has(" add check ")
        || has(" add foreign key ")
        || (adds_column && (has(" references ") || has(" check ") || has(" unique")));
    if has(" add primary key") || has(" unique") || has(" exclude ") {
        return (!has(" using index ")).then_some(
            "an index keeps writers out while it is built: build it concurrently first and add \
             the constraint USING INDEX",
        );
    }
    (is_constraint && !has(" not valid")).then_some(
        "every row is read while writers wait: add it NOT VALID and validate it in a later step",
    )
}

fn first_word(text: &str) -> &str {
    let end = text.find([' ', '(']).unwrap_or(text.len());
    text[..end].trim_matches('"')
}

/// The statements of a file, in lower case, with single blanks and without comments.
fn statements(sql: &str) -> Vec<String> {
    let mut text = String::new();
    for line in sql.lines() {
        // Comments end with their line; none of ours stands in a string.
        text.push_str(line.split("--").next().unwrap_or_default());
        text.push(' ');
    }
    let mut statements = vec![String::new()];
    let (mut is_quoted, mut is_body) = (false, false);
    for (index, letter) in text.char_indices() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            '$' if text[index..].starts_with("$$") => is_body = !is_body,
            ';' if !is_quoted && !is_body => {
                statements.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = statements.last_mut() {
            last.push(letter);
        }
    }
    statements
        .iter()
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|statement| statement.to_lowercase())
        .filter(|statement| !statement.is_empty())
        .collect()
}

#[test]
fn steps_can_be_applied_while_the_workers_of_before_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut found = Vec::new();
    let mut steps = 0;
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let step = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !path.is_dir() {
            continue;
        }
        steps += 1;
        // By its number the database knows which steps it has.
        let (number, _) = step.split_once('_').unwrap();
        assert!(numbers.insert(number.to_owned()), "{number} is there twice");
        let metadata = fs::read_to_string(path.join("metadata.toml")).unwrap_or_default();
        let runs_in_transaction = !metadata
            .replace(' ', "")
            .contains("run_in_transaction=false");
        // What comes before is only read, so that this reader understands what people write.
        let sql = fs::read_to_string(path.join("up.sql")).unwrap();
        let faults = faults(&step, &sql, runs_in_transaction);
        if step.as_str() >= FIRST_RELEASE {
            found.extend(faults.iter().map(|fault| format!("{step}: {fault}")));
        }
    }
    assert!(steps > 5, "where are the migrations?");
    assert!(
        found.is_empty(),
        "see migrations/README.md\n{}",
        found.join("\n")
    );
}

#[test]
fn what_is_refused_and_what_is_not() {
    for (sql, is_refused) in [
        ("CREATE INDEX x ON guests (phone)", true),
        (
            "CREATE UNIQUE INDEX x\n  ON guests (phone) -- concurrently",
            true,
        ),
        ("CREATE INDEX CONCURRENTLY x ON guests (phone)", false),
        (
            "CREATE TABLE new (id uuid); CREATE INDEX x ON new (id)",
            false,
        ),
        (
            "CREATE TABLE new (id uuid); CREATE INDEX x ON guests (id)",
            true,
        ),
        ("ALTER TABLE guests ADD COLUMN mood text", false),
        ("ALTER TABLE guests ADD COLUMN mood text NOT NULL", true),
        (
            "ALTER TABLE guests ADD COLUMN mood text NOT NULL DEFAULT 'fine; thanks'",
            false,
        ),
        (
            "ALTER TABLE guests ADD COLUMN n int GENERATED ALWAYS AS (1) STORED",
            true,
        ),
        (
            "ALTER TABLE guests ADD COLUMN k uuid DEFAULT gen_random_uuid()",
            true,
        ),
        (
            "ALTER TABLE guests ADD COLUMN t uuid REFERENCES tables (id)",
            true,
        ),
        (
            "ALTER TABLE guests ALTER COLUMN notes TYPE varchar(10)",
            true,
        ),
        ("ALTER TABLE guests ALTER COLUMN notes SET NOT NULL", true),
        (
            "ALTER TABLE guests ALTER COLUMN notes SET DEFAULT ''",
            false,
        ),
        ("ALTER TABLE guests DROP COLUMN notes", true),
        ("ALTER TABLE guests RENAME COLUMN notes TO words", true),
        (
            "ALTER TABLE guests ADD CONSTRAINT c CHECK (party_size > 0)",
            true,
        ),
        (
            "ALTER TABLE guests ADD CONSTRAINT c CHECK (party_size > 0) NOT VALID",
            false,
        ),
        ("ALTER TABLE guests VALIDATE CONSTRAINT c", false),
        (
            "ALTER TABLE guests ADD CONSTRAINT c FOREIGN KEY (t) REFERENCES tables (id)",
            true,
        ),
        ("ALTER TABLE guests ADD CONSTRAINT c UNIQUE (phone)", true),
        (
            "ALTER TABLE guests ADD CONSTRAINT c UNIQUE USING INDEX x",
            false,
        ),
        (
            "CREATE TABLE new (id uuid); ALTER TABLE new ADD CONSTRAINT c UNIQUE (id)",
            false,
        ),
        ("UPDATE guests SET notes = ''", true),
        ("DELETE FROM guests", true),
        ("DROP TABLE guests", true),
        ("DROP INDEX x", true),
        ("DROP INDEX CONCURRENTLY x", false),
        (
            "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN UPDATE guests SET x = 1; END $$ LANGUAGE plpgsql",
            false,
        ),
    ] {
        let is_alone = sql.to_lowercase().contains(" concurrently x");
        let found = faults("2027-01-01-000000_test", sql, !is_alone);
        assert_eq!(!found.is_empty(), is_refused, "{sql}: {found:?}");
    }
    let two = "CREATE INDEX CONCURRENTLY x ON guests (phone); SELECT 1";
    assert_eq!(faults("2027-01-01-000000_test", two, false).len(), 1);
}

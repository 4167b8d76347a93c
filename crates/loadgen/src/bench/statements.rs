//! What PostgreSQL was asked, read from its own log.
//!
//! With `log_min_duration_statement = 0` each execution is a line, with its parameters, written
//! before the client hears of its end; with `debug_print_parse` the types of the parameters are in
//! the parse tree of each statement, which is written when it is prepared.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, bail, ensure};

/// The number of a type, as PostgreSQL has it.
pub(super) type Oid = u32;

/// A statement, as it was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// `$1`, `$2`, …; none is NULL.
    pub(super) parameters: Vec<Option<String>>,
    /// Whether it had been prepared under a name.
    pub(super) is_prepared: bool,
}

/// From BEGIN to its end, or a statement that stood alone.
pub(super) type Transaction = Vec<Statement>;

/// A stretch of a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// In the order in which they ended.
    pub(super) transactions: Vec<Transaction>,
    /// The types of a statement's parameters, by its text.
    pub(super) types: HashMap<String, BTreeMap<usize, Oid>>,
}

impl Log {
    /// Reads a log whose lines begin with `%m [%p] `.
    ///
    /// # Errors
    /// When there is something in it that is not understood; then nothing in it is to be trusted.
    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let mut log = Self::default();
        let mut open: HashMap<u32, Transaction> = HashMap::new();
        for report in reports(text) {
            if report.message.starts_with("parse tree:") {
                log.learn_types(&report)?;
            } else if let Some(statement) = report.statement()? {
                log.add(&mut open, report.pid, statement);
            }
        }
        Ok(log)
    }

    fn learn_types(&mut self, report: &Report) -> anyhow::Result<()> {
        // With a context it is a statement that the server itself runs in order to carry out
        // another, such as the check of a foreign key.
        let (false, Some(sql)) = (report.has_context, &report.statement) else {
            return Ok(());
        };
        let types = types(&report.detail).with_context(|| format!("the parse tree of {sql}"))?;
        if let Some(known) = self.types.insert(sql.clone(), types.clone()) {
            ensure!(known == types, "parameters of two types each in {sql}");
        }
        Ok(())
    }

    fn add(&mut self, open: &mut HashMap<u32, Transaction>, pid: u32, statement: Statement) {
        let word = statement.sql.split_whitespace().next().unwrap_or_default();
        let word = word.trim_end_matches(';').to_ascii_uppercase();
        match (word.as_str(), open.get_mut(&pid)) {
            ("BEGIN" | "START", _) => {
                open.insert(pid, vec![statement]);
            }
            ("COMMIT" | "END" | "ROLLBACK" | "ABORT", Some(_)) => {
                if let Some(mut transaction) = open.remove(&pid) {
                    transaction.push(statement);
                    self.transactions.push(transaction);
                }
            }
            (_, Some(transaction)) => transaction.push(statement),
            (_, None) => self.transactions.push(vec![statement]),
        }
    }
}

/// One report of one process: a message and what stands with it.
#[derive(Debug, Default)]
struct Report {
    pid: u32,
    message: String,
    detail: String,
    statement: Option<String>,
    has_context: bool,
}

impl Report {
    /// The execution that is told of, if one is.
    fn statement(&self) -> anyhow::Result<Option<Statement>> {
        let Some((_, told)) = self
            .message
            .strip_prefix("duration: ")
            .and_then(|rest| rest.split_once(" ms  "))
        else {
            return Ok(None);
        };
        if let Some(sql) = told.strip_prefix("statement: ") {
            return Ok(Some(Statement {
                sql: sql.trim_end().to_owned(),
                parameters: Vec::new(),
                is_prepared: false,
            }));
        }
        let Some((name, sql)) = told
            .strip_prefix("execute ")
            .and_then(|rest| rest.split_once(": "))
        else {
            // Parsing and binding come before each execution.
            return Ok(None);
        };
        ensure!(
            !name.starts_with("fetch from "),
            "portals are not understood: {told}"
        );
        // PostgreSQL 16 has begun to write it with a capital.
        let parameters = ["parameters: ", "Parameters: "]
            .iter()
            .find_map(|words| self.detail.strip_prefix(words));
        Ok(Some(Statement {
            sql: sql.trim_end().to_owned(),
            parameters: parameters
                .map_or(Ok(Vec::new()), values)
                .with_context(|| format!("the parameters of {sql}"))?,
            is_prepared: name != "<unnamed>",
        }))
    }
}

/// Puts lines together: those that go on begin with a tabulator, which the server has added.
fn reports(text: &str) -> Vec<Report> {
    let mut entries: Vec<(u32, &str, String)> = Vec::new();
    let mut is_known = false;
    for line in text.split('\n') {
        if let Some((pid, level, words)) = first_line(line) {
            entries.push((pid, level, words.to_owned()));
            is_known = true;
        } else if let (true, Some(more), Some((_, _, words))) =
            (is_known, line.strip_prefix('\t'), entries.last_mut())
        {
            words.push('\n');
            words.push_str(more);
        } else {
            is_known = false;
        }
    }
    let mut reports: Vec<Report> = Vec::new();
    for (pid, level, words) in entries {
        match (level, reports.last_mut().filter(|last| last.pid == pid)) {
            ("DETAIL", Some(last)) => last.detail = words,
            ("STATEMENT", Some(last)) => last.statement = Some(words.trim_end().to_owned()),
            ("CONTEXT", Some(last)) => last.has_context = true,
            ("HINT" | "QUERY" | "LOCATION", Some(_)) => {}
            _ => reports.push(Report {
                pid,
                message: words,
                ..Report::default()
            }),
        }
    }
    reports
}

/// `2026-11-21 06:11:37.074 UTC [27830] LOG:  words`
fn first_line(line: &str) -> Option<(u32, &str, &str)> {
    if !line.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (_, rest) = line.split_once(" [")?;
    let (pid, rest) = rest.split_once("] ")?;
    let (level, words) = rest.split_once(":  ")?;
    let is_level = level.bytes().all(|byte| byte.is_ascii_uppercase());
    is_level.then_some((pid.parse().ok()?, level, words))
}

/// `$1 = 'It''s', $2 = NULL`
fn values(text: &str) -> anyhow::Result<Vec<Option<String>>> {
    let mut values = Vec::new();
    let mut rest = text.trim_end_matches('\n');
    loop {
        let name = format!("${} = ", values.len() + 1);
        rest = rest
            .strip_prefix(&name)
            .with_context(|| format!("{name}is missing"))?;
        if let Some(after) = rest.strip_prefix("NULL") {
            values.push(None);
            rest = after;
        } else {
            rest = rest.strip_prefix('\'').context("a value without quotes")?;
            let mut value = String::new();
            loop {
                let (part, after) = rest.split_once('\'').context("a value without an end")?;
                value.push_str(part);
                rest = after;
                let Some(after) = rest.strip_prefix('\'') else {
                    break;
                };
                value.push('\'');
                rest = after;
            }
            values.push(Some(value));
        }
        if rest.is_empty() {
            return Ok(values);
        }
        rest = rest.strip_prefix(", ").context("something after a value")?;
    }
}

/// `{PARAM :paramkind 0 :paramid 1 :paramtype 2950 …`, anywhere in a tree.
fn types(tree: &str) -> anyhow::Result<BTreeMap<usize, Oid>> {
    let mut types = BTreeMap::new();
    let mut words = tree.split_whitespace();
    while let Some(word) = words.next() {
        if !word.ends_with("{PARAM") {
            continue;
        }
        let mut field = |name: &str| -> anyhow::Result<u32> {
            ensure!(words.next() == Some(name), "a parameter without {name}");
            Ok(words
                .next()
                .context("a parameter that ends early")?
                .parse()?)
        };
        let kind = field(":paramkind")?;
        let (id, oid) = (field(":paramid")?, field(":paramtype")?);
        if kind != 0 {
            continue;
        }
        if let Some(other) = types.insert(usize::try_from(id)?, oid)
            && other != oid
        {
            bail!("${id} is of two types");
        }
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server wrote it, shortened where nothing is to be learned.
    const LOG: &str = include_str!("excerpt.txt");

    #[test]
    fn executions_with_what_is_hard_in_parameters() {
        let log = Log::read(LOG).unwrap();
        let [write, alone] = log.transactions.as_slice() else {
            panic!("{:#?}", log.transactions);
        };
        let texts: Vec<&str> = write.iter().map(|one| one.sql.as_str()).collect();
        assert_eq!(
            texts,
            [
                "BEGIN ISOLATION LEVEL READ COMMITTED",
                "UPDATE guests SET guest_name = $1, notes = $2,\n\ttags = $3, phone = $4 WHERE id = $5",
                "COMMIT",
            ]
        );
        let [begin, update, commit] = write.as_slice() else {
            unreachable!()
        };
        assert!(!begin.is_prepared && update.is_prepared && !commit.is_prepared);
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(
            update.parameters,
            [
                some("O'Neil, $2 = NULL"),
                some("It's\n\tnew: \\ and, $1 = ''"),
                some("{\"a \\\"b\\\"\",NULL,''}"),
                None,
                some("01a1fcbb-5124-72a2-a0b3-8d8bd990bd8f"),
            ]
        );
        let [select] = alone.as_slice() else {
            panic!("{alone:#?}")
        };
        assert_eq!(select.sql, "SELECT 1 FROM guests LIMIT $1");
        assert_eq!(select.parameters, [some("51")]);
    }

    #[test]
    fn types_come_from_parse_trees_and_not_from_those_of_the_server_itself() {
        let log = Log::read(LOG).unwrap();
        let select = log.types.get("SELECT 1 FROM guests LIMIT $1").unwrap();
        assert_eq!(select, &BTreeMap::from([(1, 20)]));
        let update = log.types.iter().find(|(sql, _)| sql.starts_with("UPDATE"));
        assert_eq!(
            update.unwrap().1,
            &BTreeMap::from([(1, 25), (2, 25), (3, 1009), (4, 25), (5, 2950)])
        );
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for bad in [
            "",
            "$1 = 5",
            "$1 = 'x",
            "$2 = 'x'",
            "$1 = 'x' $2 = 'y'",
            "$1 = 'x', ",
        ] {
            values(bad).unwrap_err();
        }
        types("{PARAM :paramkind 0 :paramtype 25").unwrap_err();
        let twice = |one: u32, other: u32| {
            let parameter =
                |oid| format!("{{PARAM :paramkind 0 :paramid 1 :paramtype {oid} :x 0}}");
            types(&format!("{{A {}}} {}", parameter(one), parameter(other)))
        };
        twice(25, 20).unwrap_err();
        assert_eq!(twice(25, 25).unwrap(), BTreeMap::from([(1, 25)]));
    }
}

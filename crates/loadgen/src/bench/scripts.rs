//! Scripts for pgbench that ask what the server was asked.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::statements::{Log, Oid, Statement, Transaction};

/// So many can be handed to pgbench.
pub(super) const MOST: usize = 128;

/// So many bytes of variables are handed to pgbench: an argument has a limit, and so have all.
const MOST_BYTES: usize = 1 << 20;

/// Scripts, one for each recorded request, and the values of their variables.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) files: Vec<PathBuf>,
    pub(super) variables: Vec<(String, String)>,
    /// What the server's log must say of each script.
    pub(super) expected: Vec<Expected>,
}

/// What the server executes when a script is run: the parameters of each statement, without those
/// that are NULL or empty.
pub(super) type Expected = Vec<Vec<String>>;

impl Scripts {
    /// Writes them into a directory.
    ///
    /// # Errors
    /// When a statement cannot be said to pgbench exactly.
    pub(super) fn write(
        directory: &Path,
        requests: &[Vec<Transaction>],
        log: &Log,
        type_names: &BTreeMap<Oid, String>,
    ) -> anyhow::Result<Self> {
        ensure!(requests.len() <= MOST, "more than {MOST} scripts");
        std::fs::create_dir_all(directory)?;
        let mut variables = Variables::default();
        let (mut files, mut expected) = (Vec::new(), Vec::new());
        for (number, request) in requests.iter().enumerate() {
            let mut script = String::new();
            let mut executed = Vec::new();
            for statement in request.iter().flatten() {
                let (sql, parameters) = translate(statement, log, type_names, &mut variables)
                    .with_context(|| format!("saying to pgbench: {}", statement.sql))?;
                script.push_str(&sql);
                script.push_str(";\n");
                executed.push(parameters);
            }
            let file = directory.join(format!("{number}.sql"));
            std::fs::write(&file, script)?;
            files.push(file);
            expected.push(executed);
        }
        let variables = variables.into_list();
        let bytes: usize = variables.iter().map(|(_, value)| value.len() + 16).sum();
        ensure!(
            bytes <= MOST_BYTES,
            "{bytes} bytes of variables are too many"
        );
        Ok(Self {
            files,
            variables,
            expected,
        })
    }
}

/// One variable for each value.
#[derive(Debug, Default)]
struct Variables(HashMap<String, usize>);

impl Variables {
    fn name(&mut self, value: &str) -> String {
        let next = self.0.len();
        // All of one length, so that their order is that of their numbers.
        format!("v{:05}", self.0.entry(value.to_owned()).or_insert(next))
    }

    fn into_list(self) -> Vec<(String, String)> {
        let mut list: Vec<(String, String)> = self
            .0
            .into_iter()
            .map(|(value, number)| (format!("v{number:05}"), value))
            .collect();
        list.sort();
        list
    }
}

/// The statement with variables in the place of parameters, each with its type: pgbench leaves it
/// to the server to find the types, and not all can be found. There are no variables that are
/// NULL or empty, so these are written out.
fn translate(
    statement: &Statement,
    log: &Log,
    type_names: &BTreeMap<Oid, String>,
    variables: &mut Variables,
) -> anyhow::Result<(String, Vec<String>)> {
    ensure!(
        !has_variable(&statement.sql),
        "pgbench would take a part of it for a variable"
    );
    let (mut text, mut executed) = (String::new(), Vec::new());
    for piece in pieces(&statement.sql) {
        let number = match piece {
            Piece::Text(part) => {
                text.push_str(part);
                continue;
            }
            Piece::Parameter(number) => number,
        };
        let value = number
            .checked_sub(1)
            .and_then(|index| statement.parameters.get(index))
            .with_context(|| format!("${number} has no value"))?;
        let name = log
            .types
            .get(&statement.sql)
            .and_then(|types| types.get(&number))
            .and_then(|oid| type_names.get(oid))
            .with_context(|| format!("${number} has no type"))?;
        match value {
            Some(value) if value.is_empty() => text.push_str(&format!("(''::{name})")),
            Some(value) => {
                let variable = variables.name(value);
                // In parentheses, since a cast binds closer than a sign or a subscript.
                text.push_str(&format!("(:{variable}::{name})"));
                executed.push(value.clone());
            }
            None => text.push_str(&format!("(NULL::{name})")),
        }
    }
    Ok((text, executed))
}

/// Whether there is a colon that begins a variable of pgbench, which looks into literals too.
fn has_variable(sql: &str) -> bool {
    let mut before = ' ';
    let mut characters = sql.chars().peekable();
    while let Some(here) = characters.next() {
        let begins = here == ':' && before != ':';
        let is_name = |next: &char| next.is_alphanumeric() || *next == '_';
        if begins && characters.peek().is_some_and(is_name) {
            return true;
        }
        before = here;
    }
    false
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Parameter(usize),
}

/// Takes a statement apart. What is quoted has no parameters.
fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    let mut quote = None;
    // Where to go on looking; what is before belongs to the text.
    let mut from = 0;
    while let Some((at, here)) = rest
        .char_indices()
        .skip_while(|(at, _)| *at < from)
        .find(|(_, here)| matches!(here, '$' | '\'' | '"'))
    {
        from = at + 1;
        match (here, quote) {
            ('$', None) => {
                let (text, parameter) = rest.split_at(at);
                let digits = parameter
                    .bytes()
                    .skip(1)
                    .take_while(u8::is_ascii_digit)
                    .count();
                let (name, after) = parameter.split_at(digits + 1);
                if let Some(number) = name.strip_prefix('$').and_then(|text| text.parse().ok()) {
                    pieces.push(Piece::Text(text));
                    pieces.push(Piece::Parameter(number));
                    (rest, from) = (after, 0);
                }
            }
            ('$', Some(_)) => {}
            (here, None) => quote = Some(here),
            (here, Some(open)) if here == open => quote = None,
            _ => {}
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_outside_of_quotes() {
        use Piece::{Parameter as P, Text as T};
        assert_eq!(pieces("COMMIT"), [T("COMMIT")]);
        assert_eq!(
            pieces("a = $1, b=$12 || 'it''s $3' || \"$4 'x\" || $5"),
            [
                T("a = "),
                P(1),
                T(", b="),
                P(12),
                T(" || 'it''s $3' || \"$4 'x\" || "),
                P(5),
                T(""),
            ]
        );
        assert_eq!(pieces("é$1"), [T("é"), P(1), T("")]);
    }

    #[test]
    fn what_pgbench_would_misunderstand_is_refused() {
        assert!(!has_variable("SELECT $1::text, a::jsonb, ':', x : y"));
        for sql in ["SELECT to_char(a, 'HH24:MI')", "a[1:2]", "'x':y"] {
            assert!(has_variable(sql), "{sql}");
        }
    }

    #[test]
    fn scripts_say_what_was_asked() {
        let directory =
            std::env::temp_dir().join(format!("qtable-scripts-{}", uuid::Uuid::new_v4()));
        let update =
            "UPDATE guests SET notes = $1, phone = $2 WHERE id = $3 AND notes NOT IN ($1, $4)";
        let request = vec![vec![
            Statement {
                sql: "BEGIN".to_owned(),
                parameters: Vec::new(),
                is_prepared: false,
            },
            Statement {
                sql: update.to_owned(),
                parameters: vec![
                    Some("It's\n:new".to_owned()),
                    None,
                    Some("7".to_owned()),
                    Some(String::new()),
                ],
                is_prepared: true,
            },
        ]];
        let types = BTreeMap::from([(1, 25), (2, 25), (3, 2950), (4, 25)]);
        let log = Log {
            types: HashMap::from([(update.to_owned(), types)]),
            ..Log::default()
        };
        let names = BTreeMap::from([(25, "text".to_owned()), (2950, "uuid".to_owned())]);
        let scripts = Scripts::write(&directory, &[request], &log, &names).unwrap();
        let text = std::fs::read_to_string(&scripts.files[0]).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(
            text,
            "BEGIN;\nUPDATE guests SET notes = (:v00000::text), phone = (NULL::text) \
             WHERE id = (:v00001::uuid) AND notes NOT IN ((:v00000::text), (''::text));\n"
        );
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            scripts.variables,
            [variable("v00000", "It's\n:new"), variable("v00001", "7")]
        );
        assert_eq!(
            scripts.expected,
            [vec![
                vec![],
                vec![
                    "It's\n:new".to_owned(),
                    "7".to_owned(),
                    "It's\n:new".to_owned()
                ]
            ]]
        );
    }
}

//! The database beside the workers: what it is asked by `psql`, and its log.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use reqwest::Url;
use tokio::process::Command;

use super::statements::Oid;

/// The database, and how its programs reach it.
#[derive(Clone, Debug)]
pub(super) struct Database {
    /// Where `psql` and `pgbench` are.
    programs: PathBuf,
    log: PathBuf,
    /// `PG…` variables: a password on a command line could be read by everybody.
    environment: Vec<(&'static str, String)>,
    name: String,
}

/// How far something has come, to be compared with later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Events in all logs.
    pub(super) events: u64,
    /// Rows inserted, updated and deleted in all tables.
    pub(super) rows: u64,
}

impl Database {
    /// The database at a URL; the role `postgres` has the same password.
    ///
    /// # Errors
    /// When the URL is none.
    pub(super) fn new(url: &str, programs: &Path, log: &Path) -> anyhow::Result<Self> {
        let url = Url::parse(url).context("the database's address")?;
        let name = url.path().trim_start_matches('/').to_owned();
        let environment = vec![
            ("PGHOST", url.host_str().unwrap_or("127.0.0.1").to_owned()),
            ("PGPORT", url.port().unwrap_or(5432).to_string()),
            ("PGUSER", url.username().to_owned()),
            ("PGPASSWORD", url.password().unwrap_or_default().to_owned()),
            ("PGDATABASE", name.clone()),
            // As the workers' connections have it.
            ("PGTZ", "UTC".to_owned()),
        ];
        Ok(Self {
            programs: programs.to_owned(),
            log: log.to_owned(),
            environment,
            name,
        })
    }

    /// A program of PostgreSQL's that finds the database.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Whether there is such a program.
    pub(super) fn has(&self, program: &str) -> bool {
        self.programs.join(program).exists()
    }

    async fn run(&self, user: Option<&str>, sql: &str) -> anyhow::Result<String> {
        let mut command = self.command("psql");
        command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        if let Some(user) = user {
            command.env("PGUSER", user);
        }
        let output = command.output().await.context("running psql")?;
        ensure!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// One value.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) async fn ask(&self, sql: &str) -> anyhow::Result<String> {
        self.run(None, sql).await
    }

    /// Makes data. What the program never writes need not be checked row by row.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) async fn fill(&self, sql: &str) -> anyhow::Result<()> {
        let sql = format!("SET session_replication_role = replica; {sql}");
        self.run(Some("postgres"), &sql).await.map(|_| ())
    }

    /// The process of the server, whose children do the work.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) async fn postmaster(&self) -> anyhow::Result<String> {
        let sql = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
        self.run(Some("postgres"), sql).await
    }

    /// Makes both sides begin with tables in the same state: without dead rows, and with
    /// statistics.
    pub(super) async fn vacuum(&self) -> anyhow::Result<()> {
        self.run(None, "VACUUM ANALYZE").await.map(|_| ())
    }

    /// How far the database has come. Connections that are open may not have told all yet.
    pub(super) async fn marks(&self) -> anyhow::Result<Marks> {
        let answer = self
            .ask(
                "SELECT (SELECT coalesce(sum(last_seq), 0) FROM log_heads), \
                 (SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) \
                 FROM pg_stat_user_tables)",
            )
            .await?;
        let (events, rows) = answer.split_once('|').context("two numbers")?;
        Ok(Marks {
            events: events.parse()?,
            rows: rows.parse()?,
        })
    }

    /// What types are called.
    pub(super) async fn type_names(
        &self,
        types: impl Iterator<Item = Oid>,
    ) -> anyhow::Result<BTreeMap<Oid, String>> {
        let list: Vec<String> = types.map(|oid| oid.to_string()).collect();
        let answer = self
            .ask(&format!(
                "SELECT oid, format_type(oid, NULL) FROM unnest('{{{}}}'::oid[]) AS oid",
                list.join(",")
            ))
            .await?;
        answer
            .lines()
            .map(|line| {
                let (oid, name) = line.split_once('|').context("a type and its name")?;
                Ok((oid.parse()?, name.to_owned()))
            })
            .collect()
    }

    /// Has all statements of connections that are opened from now on written into the log, or no
    /// longer.
    pub(super) async fn log_statements(&self, is_on: bool) -> anyhow::Result<()> {
        let settings = [
            ("log_min_duration_statement", "0"),
            ("log_parameter_max_length", "-1"),
            ("debug_print_parse", "on"),
            ("debug_pretty_print", "off"),
        ];
        let name = &self.name;
        for (setting, value) in settings {
            let sql = if is_on {
                format!("ALTER DATABASE \"{name}\" SET {setting} = {value}")
            } else {
                format!("ALTER DATABASE \"{name}\" RESET {setting}")
            };
            self.run(Some("postgres"), &sql).await?;
        }
        Ok(())
    }

    /// Where the log ends now.
    pub(super) fn log_end(&self) -> anyhow::Result<u64> {
        let metadata = self.log.metadata();
        Ok(metadata
            .with_context(|| format!("the log {}", self.log.display()))?
            .len())
    }

    /// The log from there.
    pub(super) fn log_since(&self, from: u64) -> anyhow::Result<String> {
        let mut file = std::fs::File::open(&self.log)?;
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

//! PostgreSQL servers that a test has for itself: a primary, and a replica that follows it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio_postgres::{Client, NoTls};

use crate::process::free_address;
use crate::wait::{DEADLINE, until};

/// Fast rather than durable, and small.
const OPTIONS: [&str; 8] = [
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
    "log_checkpoints=off",
    "unix_socket_directories=",
    "wal_receiver_status_interval=1s",
    "hot_standby_feedback=on",
];

/// A server, gone with its value.
#[derive(Debug)]
pub struct PostgresServer {
    home: Home,
    address: SocketAddr,
    running: Option<Child>,
}

impl PostgresServer {
    /// A new one, which trusts everybody on this machine.
    ///
    /// # Panics
    /// When PostgreSQL is not to be found, or does not start.
    pub async fn start() -> Self {
        let home = Home::new();
        home.run(
            "initdb",
            &[
                "--no-sync",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
            ],
        );
        Self::run(home).await
    }

    /// A replica of this one, which streams what is written.
    ///
    /// # Panics
    /// As above.
    pub async fn replica(&self) -> Self {
        let home = Home::new();
        let (host, port) = (
            self.address.ip().to_string(),
            self.address.port().to_string(),
        );
        home.run(
            "pg_basebackup",
            &[
                "--no-sync",
                "--checkpoint=fast",
                "--wal-method=stream",
                "--write-recovery-conf",
                "--username=postgres",
                "--host",
                &host,
                "--port",
                &port,
            ],
        );
        Self::run(home).await
    }

    async fn run(home: Home) -> Self {
        let mut server = Self {
            address: free_address(),
            running: None,
            home,
        };
        server.restart().await;
        server
    }

    /// Starts it again where it was, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn restart(&mut self) {
        let mut command = self.home.command("postgres");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.home.log());
        let (host, port) = (
            self.address.ip().to_string(),
            self.address.port().to_string(),
        );
        command.args(["-D", &self.home.data(), "-p", &port, "-h", &host]);
        for option in OPTIONS {
            command.args(["-c", option]);
        }
        let started = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        self.running = Some(started.spawn().unwrap());
        until("PostgreSQL to answer", DEADLINE, async || {
            tokio_postgres::connect(&self.url("postgres"), NoTls)
                .await
                .ok()
                .map(drop)
        })
        .await;
    }

    /// Ends its connections and stops it.
    ///
    /// # Panics
    /// When it cannot be told.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // A fast shutdown. By the shell's own `kill`, which is on every machine.
            let id = running.id().to_string();
            let told = Command::new("sh")
                .args(["-c", r#"kill -s INT "$0""#, &id])
                .status();
            assert!(told.unwrap().success(), "PostgreSQL could not be stopped");
            running.wait().unwrap();
        }
    }

    /// `postgres://…` of one of its databases, as its superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }

    /// A connection of its superuser.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    /// A replica receives from now on, but shows nothing of it.
    ///
    /// # Panics
    /// When it is no replica.
    pub async fn pause(&self) {
        let sql = self.connect().await;
        sql.batch_execute("SELECT pg_wal_replay_pause()")
            .await
            .unwrap();
        until("the replay to pause", DEADLINE, async || {
            let state = "SELECT pg_get_wal_replay_pause_state() = 'paused'";
            let row = sql.query_one(state, &[]).await.unwrap();
            row.get::<_, bool>(0).then_some(())
        })
        .await;
    }

    /// A paused replica goes on.
    ///
    /// # Panics
    /// When it is no replica.
    pub async fn resume(&self) {
        let sql = self.connect().await;
        sql.batch_execute("SELECT pg_wal_replay_resume()")
            .await
            .unwrap();
    }

    /// Makes a replica a primary of its own; its connections stay.
    ///
    /// # Panics
    /// When it is no replica.
    pub async fn promote(&self) {
        let promoted = self
            .connect()
            .await
            .query_one("SELECT pg_promote()", &[])
            .await;
        assert!(
            promoted.unwrap().get::<_, bool>(0),
            "it was not promoted in time"
        );
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            if std::thread::panicking() {
                let log = fs::read_to_string(self.home.log()).unwrap_or_default();
                eprintln!("the log of PostgreSQL at {}:\n{log}", self.address);
            }
            // Its children notice by themselves.
            let _ended = running.kill();
            let _status = running.wait();
        }
        let _removed = fs::remove_dir_all(&self.home.directory);
    }
}

/// Where a server lives, and as whom it runs: it refuses to run as root.
#[derive(Debug)]
struct Home {
    directory: PathBuf,
    programs: PathBuf,
    user: Option<(u32, u32)>,
}

impl Home {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("qt_test_{}", crate::random_name()));
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        let user = (id("-u", &[]) == Some(0)).then(|| {
            let known = id("-u", &["postgres"]).zip(id("-g", &["postgres"]));
            known.unwrap_or_else(|| panic!("there is no user postgres"))
        });
        if let Some((user, group)) = user {
            chown(&directory, Some(user), Some(group)).unwrap();
        }
        Self {
            directory,
            programs: programs(),
            user,
        }
    }

    fn data(&self) -> String {
        self.directory.join("data").display().to_string()
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.directory);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs a program on the data to its end.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.command(program);
        let output = command.args(["-D", &self.data()]).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {said}");
    }
}

fn id(which: &str, user: &[&str]) -> Option<u32> {
    let output = Command::new("id").arg(which).args(user).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The directory with PostgreSQL's programs: the one that `scripts/test` has found, else what
/// `pg_config` says.
fn programs() -> PathBuf {
    let told = std::env::var_os("TEST_POSTGRES_BIN").filter(|told| !told.is_empty());
    let found = told.map(PathBuf::from).or_else(|| {
        let output = Command::new("pg_config").arg("--bindir").output().ok()?;
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
    });
    let is_there = |found: &PathBuf| Path::new(found).join("pg_basebackup").is_file();
    found.filter(is_there).unwrap_or_else(|| {
        panic!(
            "the programs of PostgreSQL are not found: TEST_POSTGRES_BIN is to name their directory"
        )
    })
}

//! PostgreSQL servers that a test has for itself, with certificates, with replicas, or to be watched.

mod home;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, thread};

use tokio_postgres::{Client, NoTls};

use crate::authority::Identity;
use crate::process::{Process, free_address};
use crate::wait::{DEADLINE, until};
use home::{Home, PASSWORD, USER};

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

/// Of one that takes connections with TLS, too.
const WITH_TLS: [&str; 3] = [
    "ssl=on",
    "ssl_cert_file=../tls.pem",
    "ssl_key_file=../tls.key",
];

/// Of one that is watched. What it writes down is for each role or database to say, since it can
/// also be too much.
const WATCHED: [&str; 6] = [
    "shared_preload_libraries=auto_explain",
    "logging_collector=on",
    "log_destination=jsonlog",
    "log_directory=log",
    "log_filename=server.log",
    "log_rotation_size=0",
];

/// A server of a test's own; gone with its value.
///
/// It takes about two seconds to make: one is enough for many cases. Its superuser is authenticated
/// by SCRAM, so that the binding of channels is tried, too.
#[derive(Debug)]
pub struct PostgresServer {
    address: SocketAddr,
    running: Option<Process>,
    home: Home,
    /// Beside those of all servers.
    options: &'static [&'static str],
}

impl PostgresServer {
    /// Starts a server with this certificate, which takes connections with TLS and without, and
    /// waits until it answers.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub async fn with_tls(identity: &Identity) -> Self {
        let home = Home::new();
        home.take(&identity.certificate, "tls.pem");
        home.take(&identity.key, "tls.key");
        home.initialize();
        Self::run(home, &WITH_TLS).await
    }

    /// Starts a server without TLS that can write down each statement and how it was executed
    /// (`log_min_duration_statement`, `auto_explain`), see [`Self::log`].
    ///
    /// # Panics
    /// As above.
    pub async fn watched() -> Self {
        let home = Home::new();
        home.initialize();
        Self::run(home, &WATCHED).await
    }

    /// Where one that is watched writes: a JSON object per line, with the text in `message`.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.home.path("data/log/server.json")
    }

    /// A replica of this one, which streams what is written, with the same certificate.
    ///
    /// # Panics
    /// As above.
    pub async fn replica(&self) -> Self {
        let home = Home::new();
        for name in ["tls.pem", "tls.key"] {
            home.take(&self.home.path(name), name);
        }
        home.run("pg_basebackup", |command| {
            command
                .args(["--no-sync", "--checkpoint=fast", "--wal-method=stream"])
                .args(["--write-recovery-conf", "--dbname", &self.url("postgres")])
        });
        Self::run(home, self.options).await
    }

    async fn run(home: Home, options: &'static [&'static str]) -> Self {
        let mut server = Self {
            address: free_address(),
            running: None,
            home,
            options,
        };
        server.restart().await;
        server
    }

    /// Starts it again where it was, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn restart(&mut self) {
        self.stop();
        let mut command = self.home.command("postgres");
        command
            .args(["-h", &self.address.ip().to_string()])
            .args(["-p", &self.address.port().to_string()]);
        for option in OPTIONS.iter().chain(self.options) {
            command.args(["-c", option]);
        }
        self.running = Some(Process::start(command));
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
        self.end("INT");
    }

    /// Killed, it would leave its shared memory behind.
    fn end(&mut self, signal: &str) {
        if let Some(mut running) = self.running.take()
            && running.is_running()
        {
            running.signal(signal);
            let end = Instant::now() + Duration::from_secs(10);
            while running.is_running() && Instant::now() < end {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// `postgres://…` of one of its databases by its address, as its superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@{}/{database}", self.address)
    }

    /// A connection of its superuser, without TLS.
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
        let sql = self.connect().await;
        let promoted = sql.query_one("SELECT pg_promote()", &[]).await.unwrap();
        assert!(promoted.get::<_, bool>(0), "it was not promoted in time");
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.end("QUIT");
        let _removed = fs::remove_dir_all(self.home.directory());
    }
}

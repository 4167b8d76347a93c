//! PostgreSQL servers that a test has for itself, with certificates and with replicas.

mod home;

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use std::{fs, thread};

use tokio_postgres::{Client, NoTls};

use crate::authority::Identity;
use crate::process::{Process, free_address};
use crate::wait::{DEADLINE, until};
use home::{Home, PASSWORD, USER};

/// Fast rather than durable, and small.
const OPTIONS: [&str; 11] = [
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
    "log_checkpoints=off",
    "unix_socket_directories=",
    "wal_receiver_status_interval=1s",
    "hot_standby_feedback=on",
    "ssl=on",
    "ssl_cert_file=../tls.pem",
    "ssl_key_file=../tls.key",
];

/// A server that takes connections with TLS and without; gone with its value.
///
/// It takes about two seconds to make: one is enough for many cases. Its superuser is authenticated
/// by SCRAM, so that the binding of channels is tried, too.
#[derive(Debug)]
pub struct PostgresServer {
    address: SocketAddr,
    running: Option<Process>,
    home: Home,
}

impl PostgresServer {
    /// Starts a server with this certificate and waits until it answers.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub async fn with_tls(identity: &Identity) -> Self {
        let home = Home::new();
        home.take(&identity.certificate, "tls.pem");
        home.take(&identity.key, "tls.key");
        home.run("initdb", |command| {
            command
                .args(["--no-sync", "--locale=C", "--encoding=UTF8"])
                .args(["--auth=scram-sha-256", "--pwfile=password"])
                .args(["--username", USER])
        });
        Self::run(home).await
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
        self.stop();
        let mut command = self.home.command("postgres");
        command
            .args(["-h", &self.address.ip().to_string()])
            .args(["-p", &self.address.port().to_string()]);
        for option in OPTIONS {
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

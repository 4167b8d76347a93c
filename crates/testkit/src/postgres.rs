//! A PostgreSQL server that a test has for itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use tokio_postgres::NoTls;

use crate::authority::Identity;
use crate::process::{Process, free_address};
use crate::wait::{self, DEADLINE};

/// A server that takes TLS, and a superuser without a password; gone with its value.
///
/// It takes about two seconds to make: one is enough for many cases.
#[derive(Debug)]
pub struct PostgresServer {
    address: SocketAddr,
    directory: PathBuf,
    process: Process,
}

impl PostgresServer {
    /// Starts a server with this certificate and waits until it answers.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub async fn with_tls(identity: &Identity) -> Self {
        let directory = std::env::temp_dir().join(format!("qt_test_{}", crate::random_name()));
        fs::create_dir(&directory).unwrap();
        for (from, to) in [
            (&identity.certificate, "tls.pem"),
            (&identity.key, "tls.key"),
        ] {
            fs::copy(from, directory.join(to)).unwrap();
        }
        give_away(&directory);
        // Authenticated by SCRAM, so that the binding of channels is tried, too.
        let prepared = program("initdb", &directory)
            .args(["-D", "data", "-U", "qtable", "--no-sync", "--locale=C"])
            .args([
                "--encoding=UTF8",
                "--auth=scram-sha-256",
                "--pwfile=password",
            ])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&prepared.stderr);
        assert!(prepared.status.success(), "initdb: {complaint}");
        let address = free_address();
        let mut command = program("postgres", &directory);
        command
            .args(["-D", "data", "-p", &address.port().to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "fsync=off", "-c", "ssl=on"])
            .args(["-c", "ssl_cert_file=../tls.pem"])
            .args(["-c", "ssl_key_file=../tls.key"]);
        let server = Self {
            address,
            directory,
            process: Process::start(command),
        };
        wait::until("PostgreSQL to answer", DEADLINE, async || {
            tokio_postgres::connect(&server.url(), NoTls)
                .await
                .ok()
                .map(drop)
        })
        .await;
        server
    }

    /// Its port on the loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `postgres://…`, of a superuser.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://qtable:{PASSWORD}@{}/postgres", self.address)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // Killed, it would leave its shared memory behind.
        self.process.signal("QUIT");
        let end = Instant::now() + Duration::from_secs(10);
        while self.process.is_running() && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let _removed = fs::remove_dir_all(&self.directory);
    }
}

const PASSWORD: &str = "of-a-test";

/// PostgreSQL does not run as root: then everything belongs to its own user, or nobody.
fn give_away(directory: &Path) {
    let script = r#"printf %s "$1" >password; [ "$(id -u)" != 0 ] ||
        chown -R "$(id -un postgres 2>/dev/null || echo nobody)" ."#;
    let done = Command::new("sh")
        .args(["-c", script, "sh", PASSWORD])
        .current_dir(directory)
        .status();
    assert!(
        done.unwrap().success(),
        "{} stays ours",
        directory.display()
    );
}

/// One of PostgreSQL's programs, where systems put them, as the user to whom the directory belongs.
fn program(name: &str, directory: &Path) -> Command {
    let script = r#"
        program=$(command -v "$0") ||
            program=$(ls -d /usr/lib/postgresql/*/bin/"$0" /opt/homebrew/opt/postgresql@*/bin/"$0" \
                2>/dev/null | sort -V | tail -n 1)
        exec "${program:-$0}" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, name]).current_dir(directory);
    run_as_owner(&mut command, directory);
    command
}

fn run_as_owner(command: &mut Command, directory: &Path) {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let owner = fs::metadata(directory.join("password")).unwrap();
    let ours = fs::metadata("/proc/self").map_or(owner.uid(), |process| process.uid());
    if owner.uid() != ours {
        command.uid(owner.uid()).gid(owner.gid());
    }
}

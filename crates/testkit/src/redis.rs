//! The Redis server that tests share, and servers that a test has for itself.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::authority::Identity;
use crate::process::{Process, free_address};
use crate::wait::{self, DEADLINE};

/// The URL of the test server.
///
/// # Panics
/// When `TEST_REDIS_URL` is not set.
#[must_use]
pub fn url() -> String {
    crate::service_url("TEST_REDIS_URL")
}

/// A prefix for keys and channels that no other test has. It ends in a colon.
///
/// The server is shared and is never flushed: this is what keeps tests apart.
#[must_use]
pub fn random_prefix() -> String {
    format!("qt_test_{}:", crate::random_name())
}

/// A server that one test has for itself, to be killed, stopped, demoted or filled.
///
/// It stays at its address over a restart, and is gone with its value.
#[derive(Debug)]
pub struct RedisServer {
    address: SocketAddr,
    options: Vec<String>,
    directory: PathBuf,
    process: Process,
}

impl RedisServer {
    /// Starts a server with these options (`["--maxmemory", "1mb"]`) and waits until it answers.
    ///
    /// # Panics
    /// When there is no Redis on the path, or it refuses the options.
    pub async fn start(options: &[&str]) -> Self {
        Self::at(free_address(), options).await
    }

    /// The same at an address of the test's choice.
    ///
    /// # Panics
    /// As above.
    pub async fn at(address: SocketAddr, options: &[&str]) -> Self {
        let directory = std::env::temp_dir().join(format!("qt_test_{}", crate::random_name()));
        fs::create_dir(&directory).unwrap();
        let options: Vec<_> = options.iter().map(ToString::to_string).collect();
        let server = Self {
            process: Process::start(command(address, &directory, &options)),
            address,
            options,
            directory,
        };
        server.until_it_answers().await;
        server
    }

    /// The same, which also takes TLS at the second address, with this certificate. The first
    /// stays for [`RedisServer::tell`].
    ///
    /// # Panics
    /// As above.
    pub async fn with_tls(identity: &Identity, options: &[&str]) -> (Self, SocketAddr) {
        let address = free_address();
        let (certificate, key) = (identity.certificate.display(), identity.key.display());
        let own = [
            ("--tls-port", address.port().to_string()),
            ("--tls-cert-file", certificate.to_string()),
            ("--tls-key-file", key.to_string()),
            ("--tls-ca-cert-file", certificate.to_string()),
            ("--tls-auth-clients", "no".to_owned()),
        ];
        let own = own.iter().flat_map(|(name, value)| [*name, value.as_str()]);
        let all: Vec<_> = own.chain(options.iter().copied()).collect();
        (Self::start(&all).await, address)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `redis://…`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again where it was, after a kill, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn restart(&mut self) {
        self.process = Process::start(command(self.address, &self.directory, &self.options));
        self.until_it_answers().await;
    }

    /// SIGSTOP: every connection stays open and says nothing.
    pub fn pause(&self) {
        self.process.signal("STOP");
    }

    /// SIGCONT: goes on, with all that was said in the meantime.
    pub fn resume(&self) {
        self.process.signal("CONT");
    }

    /// Says one line to the server, as one would in a terminal, and returns the first piece of
    /// the answer as it stands on the wire.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn tell(&self, line: &str) -> String {
        self.try_tell(line).await.unwrap()
    }

    async fn try_tell(&self, line: &str) -> std::io::Result<String> {
        let mut connection = TcpStream::connect(self.address).await?;
        connection
            .write_all(format!("{line}\r\n").as_bytes())
            .await?;
        let mut answer = vec![0; 64 * 1024];
        let read = connection.read(&mut answer).await?;
        answer.truncate(read);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    async fn until_it_answers(&self) {
        wait::until("Redis to answer", DEADLINE, async || {
            let answer = self.try_tell("PING").await.ok()?;
            answer.starts_with("+PONG").then_some(())
        })
        .await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.directory);
    }
}

/// Redis or its twin, whichever `scripts/test` would take.
fn command(address: SocketAddr, directory: &std::path::Path, options: &[String]) -> Command {
    let mut command = Command::new("sh");
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    command
        .args([
            "-c",
            r#"exec "$(command -v redis-server || command -v valkey-server)" "$@""#,
            "redis",
        ])
        .args(["--bind", &host, "--port", &port, "--save", ""])
        .args(["--protected-mode", "no"])
        .args(options)
        .current_dir(directory);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_differ() {
        assert_ne!(super::random_prefix(), super::random_prefix());
    }

    #[tokio::test]
    async fn a_server_of_its_own() {
        let mut server = RedisServer::start(&["--maxmemory", "5mb"]).await;
        let answer = server.tell("CONFIG GET maxmemory").await;
        assert!(answer.contains("5242880"), "{answer}");
        server.kill();
        server.try_tell("PING").await.unwrap_err();
        server.restart().await;
        assert_eq!(server.tell("PING").await, "+PONG\r\n");
        let directory = server.directory.clone();
        drop(server);
        assert!(!directory.exists());
    }
}

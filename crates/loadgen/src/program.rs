//! The server's program, and how a process is asked to end.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// Of which clients here have more than anybody should: a crowd of few accounts, of one restaurant
/// and at one address.
const SHARES: [&str; 4] = [
    "SOCKETS_PER_ACCOUNT",
    "SOCKETS_PER_RESTAURANT",
    "SOCKETS_PER_ADDRESS",
    "PUBLIC_SOCKETS",
];

/// A command of the server's program that writes what it says to the end of `log`, and has
/// `grace_seconds` to end when it is asked to. It is killed when it is forgotten.
///
/// # Errors
/// When the log cannot be written.
pub(crate) fn server(
    program: &Path,
    log: &Path,
    database_url: &str,
    secret: &str,
    grace_seconds: u64,
) -> anyhow::Result<Command> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    command
        .env("DATABASE_URL", database_url)
        .env("SECRET_KEY", secret)
        .env("HOST", "127.0.0.1")
        .envs(SHARES.map(|share| (share, "1000000")))
        .env("SHUTDOWN_GRACE_SECONDS", grace_seconds.to_string())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    Ok(command)
}

/// Asks a process to end.
///
/// # Errors
/// When it cannot be asked.
pub(crate) async fn terminate(pid: u32) -> anyhow::Result<()> {
    let mut kill = Command::new("kill");
    kill.args(["-TERM", &pid.to_string()]).status().await?;
    Ok(())
}

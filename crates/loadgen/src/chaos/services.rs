//! PostgreSQL and Redis, by way of the script that knows how to kill them.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

/// The script.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    pub(crate) script: PathBuf,
}

impl Services {
    /// Does one thing.
    ///
    /// # Errors
    /// When it could not be done.
    pub(crate) async fn act(&self, action: &str) -> anyhow::Result<()> {
        self.act_with(action, &[]).await
    }

    pub(crate) async fn act_with(&self, action: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let status = Command::new(&self.script)
            .arg(action)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await?;
        anyhow::ensure!(status.success(), "{action} failed: {status}");
        Ok(())
    }
}

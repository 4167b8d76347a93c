//! `qtable healthcheck`: whether the worker of this machine can work. Images carry no curl.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::Client;
use serde_json::Value;

use super::Variables;

/// Asks the worker of this machine whether it can work; fails if it cannot.
#[derive(Args, Debug)]
pub struct Healthcheck {
    /// Whom to ask. Default: this machine, at HOST and PORT.
    #[arg(long)]
    url: Option<String>,
    /// Ask only whether the process answers at all.
    #[arg(long)]
    live: bool,
    /// How many seconds it may take to answer.
    #[arg(long, default_value_t = 4)]
    timeout: u64,
}

impl Healthcheck {
    /// Asks once and prints the status.
    ///
    /// # Errors
    /// When there is no answer in time, or it is not 200; the error repeats the answer.
    pub async fn run(self, variables: Variables<'_>) -> anyhow::Result<()> {
        let base = self.url.unwrap_or_else(|| own_address(variables));
        let path = if self.live {
            "/health/live"
        } else {
            "/health/ready"
        };
        // A proxy of the environment's is for calls to the outside.
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(self.timeout))
            .build()?;
        let url = format!("{}{path}", base.trim_end_matches('/'));
        let answer = http
            .get(&url)
            .send()
            .await
            .with_context(|| format!("{url} does not answer"))?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("{url} answers {status}: {text}");
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let word = body.get("status").and_then(Value::as_str);
        println!("{}", word.unwrap_or("ok"));
        Ok(())
    }
}

/// Where the worker with these variables listens, as seen from its own machine.
fn own_address(variables: Variables<'_>) -> String {
    let set = |name| variables(name).filter(|value| !value.is_empty());
    let port = set("PORT").unwrap_or_else(|| "8000".to_owned());
    let host = match set("HOST").as_deref() {
        None | Some("0.0.0.0") => "127.0.0.1".to_owned(),
        Some("::" | "[::]") => "[::1]".to_owned(),
        Some(host) if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        Some(host) => host.to_owned(),
    };
    format!("http://{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_of_this_machine() {
        for (host, port, address) in [
            ("", "", "http://127.0.0.1:8000"),
            ("0.0.0.0", "9000", "http://127.0.0.1:9000"),
            ("::", "9000", "http://[::1]:9000"),
            ("10.0.0.7", "", "http://10.0.0.7:8000"),
            ("fd00::1", "80", "http://[fd00::1]:80"),
            ("localhost", "80", "http://localhost:80"),
        ] {
            let found = own_address(&|name| match name {
                "HOST" => Some(host.to_owned()),
                "PORT" => Some(port.to_owned()),
                _ => None,
            });
            assert_eq!(found, address);
        }
    }
}

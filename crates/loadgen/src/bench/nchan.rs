//! Nchan: publish and subscribe in nginx, in C. The measure for fan-out and memory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::ports::{free_port, local};
use crate::program::terminate;

/// How long it may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Processes that serve, as many as there are workers of QTable.
const PROCESSES: usize = 2;

/// Where it is.
#[derive(Clone, Debug)]
pub(super) struct Nchan {
    pub(super) nginx: PathBuf,
    /// `ngx_nchan_module.so`
    pub(super) module: PathBuf,
    pub(super) redis_url: String,
    pub(super) directory: PathBuf,
}

/// An nginx that runs.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    pid: u32,
    port: u16,
    workers: Vec<u32>,
}

impl Nchan {
    /// Starts it; with Redis between its processes, or without.
    ///
    /// # Errors
    /// When it does not begin to listen.
    pub(super) async fn start(&self, with_redis: bool) -> anyhow::Result<Running> {
        let port = free_port()?;
        std::fs::create_dir_all(&self.directory)?;
        let path = self.directory.join("nginx.conf");
        let redis = with_redis.then_some(self.redis_url.as_str());
        std::fs::write(&path, configuration(&self.module, port, redis, is_root()))?;
        let log = File::create(self.directory.join("nginx.log"))?;
        let mut child = Command::new(&self.nginx)
            .arg("-p")
            .arg(&self.directory)
            .arg("-c")
            .arg(&path)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting nginx")?;
        let pid = child.id().context("the number of a process")?;
        let started = Instant::now();
        while !is_ready(port, with_redis).await {
            if child.try_wait()?.is_some() || started.elapsed() > PATIENCE {
                terminate(pid).await?;
                let said = std::fs::read_to_string(self.directory.join("nginx.log"))?;
                bail!("nginx does not start: {}", said.trim());
            }
            sleep(Duration::from_millis(20)).await;
        }
        let running = Running {
            workers: children(pid)?,
            child,
            pid,
            port,
        };
        ensure!(
            running.workers.len() >= PROCESSES,
            "nginx has {} processes",
            running.workers.len()
        );
        Ok(running)
    }

    /// Starts it once, to see whether it can be measured: `nginx/1.22.1 with Nchan 1.3.6`.
    ///
    /// # Errors
    /// What is in the way.
    pub(super) async fn version(&self) -> anyhow::Result<String> {
        let running = self.start(false).await?;
        let status = status(running.port).await?;
        running.stop().await?;
        let output = Command::new(&self.nginx).arg("-v").output().await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let nginx = said.split_whitespace().find(|word| word.contains('/'));
        let nchan = value(&status, "nchan version: ");
        Ok(format!(
            "{} with Nchan {}",
            nginx.unwrap_or("nginx"),
            nchan.context("nginx does not say which Nchan it has")?
        ))
    }
}

impl Running {
    /// Where a channel is subscribed to; `{channel}` stands for its name.
    pub(super) fn subscribe(&self) -> String {
        format!("ws://{}/sub/{{channel}}", local(self.port))
    }

    /// Where it is published to.
    pub(super) fn publish(&self) -> String {
        format!("http://{}/pub/{{channel}}", local(self.port))
    }

    /// The processes that serve, with commas between.
    pub(super) fn pids(&self) -> String {
        let pids = self.workers.iter().map(u32::to_string);
        pids.collect::<Vec<_>>().join(",")
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not end.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        terminate(self.pid).await?;
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => ensure!(status?.success(), "nginx has ended badly"),
            Err(_) => bail!("nginx does not end"),
        }
        Ok(())
    }
}

impl Drop for Running {
    /// Killing it would leave the processes that serve.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let mut kill = StdCommand::new("kill");
            let _ = kill.args(["-TERM", &self.pid.to_string()]).status();
        }
    }
}

/// Whether all its processes can be used: those with Redis refuse while they have none.
async fn is_ready(port: u16, with_redis: bool) -> bool {
    let Ok(status) = status(port).await else {
        return false;
    };
    let connected = value(&status, "redis connected servers: ");
    let connected = connected.and_then(|count| count.parse::<usize>().ok());
    !with_redis || connected.is_some_and(|count| count >= PROCESSES)
}

async fn status(port: u16) -> anyhow::Result<String> {
    let answer = reqwest::get(format!("http://{}/status", local(port))).await?;
    Ok(answer.error_for_status()?.text().await?)
}

fn value<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name))
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn children(pid: u32) -> anyhow::Result<Vec<u32>> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .context("the processes of nginx")?;
    list.split_whitespace()
        .map(|child| Ok(child.parse()?))
        .collect()
}

/// As fast as it goes: nothing is logged, messages are kept in memory, and there is room for
/// everything that is published.
fn configuration(module: &Path, port: u16, redis: Option<&str>, is_root: bool) -> String {
    let user = if is_root { "user root;\n" } else { "" };
    let (upstream, pass) = match redis {
        Some(url) => (
            format!("    upstream redis {{ nchan_redis_server {url}; }}\n"),
            "            nchan_redis_pass redis;\n",
        ),
        None => (String::new(), ""),
    };
    let module = module.display();
    format!(
        "{user}load_module {module};
daemon off;
pid nginx.pid;
worker_processes {PROCESSES};
worker_rlimit_nofile 65536;
events {{
    worker_connections 32768;
}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 100000000;
    nchan_shared_memory_size 256M;
{upstream}    server {{
        listen 127.0.0.1:{port} backlog=4096 reuseport;
        location = /status {{
            nchan_stub_status;
        }}
        location ~ ^/sub/([\\w-]+)$ {{
            nchan_subscriber websocket;
            nchan_channel_id $1;
            nchan_subscriber_first_message newest;
{pass}        }}
        location ~ ^/pub/([\\w-]+)$ {{
            nchan_publisher http;
            nchan_channel_id $1;
            nchan_message_buffer_length 2000;
            nchan_message_timeout 5m;
{pass}        }}
    }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_is_only_where_it_is_wanted() {
        let module = Path::new("/m.so");
        let without = configuration(module, 8080, None, false);
        assert!(!without.contains("redis") && !without.contains("user "));
        let with = configuration(module, 8080, Some("redis://:x@127.0.0.1:1/0"), true);
        assert!(with.contains("upstream redis { nchan_redis_server redis://:x@127.0.0.1:1/0; }"));
        assert_eq!(with.matches("nchan_redis_pass redis;").count(), 2);
        assert!(with.contains("listen 127.0.0.1:8080 ") && with.contains("load_module /m.so;"));
    }
}

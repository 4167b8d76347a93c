//! A child process that a test may kill.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

use crate::wait;

/// A running program with its output in a file; killed when dropped.
///
/// When the test that owns it fails, the end of its output is printed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with a free port in its variable `PORT` and the loopback in `HOST`, and
    /// returns at once: wait until it answers. Its other variables are those of `command`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let address = free_address();
        let log = std::env::temp_dir().join(format!("qt_test_{}.log", crate::random_name()));
        let output = File::create(&log).unwrap();
        let child = command
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            child,
            address,
            log,
        }
    }

    /// Where it was told to listen.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has written so far.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGTERM: asks it to end.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// SIGKILL: ends it without its knowledge, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name, `STOP` and `CONT` for example.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, name: &str) {
        // The shell's own `kill`: the program of this name is not on every machine.
        let sent = Command::new("sh")
            .args(["-c", r#"kill -s "$0" "$1""#, name, &self.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "SIG{name} could not be sent");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// At the deadline.
    #[track_caller]
    pub fn wait(&mut self, deadline: Duration) -> impl Future<Output = ExitStatus> {
        wait::until("the end of a process", deadline, async || {
            self.child.try_wait().unwrap()
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only for one that has ended, which is what is wanted.
        let _ended = self.child.kill();
        let _status = self.child.wait();
        if thread::panicking() {
            let output = fs::read(&self.log).unwrap_or_default();
            let tail = output.get(output.len().saturating_sub(8 * 1024)..);
            let tail = String::from_utf8_lossy(tail.unwrap_or(&output));
            eprintln!("the output of process {} ends with:\n{tail}", self.id());
        }
        let _removed = fs::remove_file(&self.log);
    }
}

/// A loopback address on which nobody listens.
///
/// Below the ports that systems give to outgoing connections and to port 0, so that none of those
/// takes it before the caller does; consecutive, so that no two callers get the same.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_address() -> SocketAddr {
    const FIRST: u16 = 11_000;
    const COUNT: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another test process counts from another place.
    let seed = u16::try_from(std::process::id().wrapping_mul(7919) % u32::from(COUNT)).unwrap();
    (0..COUNT)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed) % COUNT)
        .map(|next| FIRST + (seed + next) % COUNT)
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .unwrap_or_else(|| panic!("no free port"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::wait::DEADLINE;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command)
    }

    async fn says(process: &Process, words: &str) {
        wait::until(words, DEADLINE, async || {
            process.output().contains(words).then_some(())
        })
        .await;
    }

    #[tokio::test]
    async fn knows_its_port_and_its_output_is_kept() {
        let mut process = shell("echo on $HOST:$PORT; echo complaint >&2; exit 3");
        assert_eq!(process.wait(DEADLINE).await.code(), Some(3));
        assert!(!process.is_running());
        let expected = format!("on {}\ncomplaint\n", process.addr());
        assert_eq!(process.output(), expected);
    }

    #[tokio::test]
    async fn a_request_to_end_can_be_answered() {
        let mut process =
            shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
        says(&process, "ready").await;
        process.terminate();
        assert!(process.wait(DEADLINE).await.success());
        says(&process, "bye").await;
    }

    #[tokio::test]
    async fn killed_without_its_knowledge() {
        let mut process = shell("trap 'echo bye' TERM; echo ready; while :; do sleep 0.01; done");
        says(&process, "ready").await;
        process.kill();
        assert_eq!(process.wait(DEADLINE).await.signal(), Some(9));
        assert!(!process.output().contains("bye"));
    }

    #[tokio::test]
    async fn gone_with_its_value() {
        let process = shell("exec sleep 600");
        let (id, log) = (process.id(), process.log.clone());
        drop(process);
        let alive = Command::new("sh")
            .args(["-c", r#"kill -s 0 "$0" 2>/dev/null"#, &id.to_string()])
            .status();
        assert!(!alive.unwrap().success());
        assert!(!log.exists());
    }

    #[test]
    fn ports_differ() {
        assert_ne!(free_address(), free_address());
    }
}

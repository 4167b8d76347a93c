//! Workers as processes of their own, which can be killed, and the balancer in front of them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::database::TestDatabase;
use testkit::process::{Process, free_address};
use testkit::wait::{DEADLINE, until};

use crate::support::app::{Faults, database};
use crate::support::{Client, Restaurant};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Two workers.
pub struct Fleet {
    pub workers: Vec<Process>,
    /// Gone after the workers.
    _database: TestDatabase,
    vars: Vec<(String, String)>,
    faults: Faults,
}

impl Fleet {
    pub async fn start() -> Self {
        let database = database().await;
        let vars = [
            ("DATABASE_URL", database.url.as_str()),
            ("DATABASE_POOL_SIZE", "6"),
            ("REDIS_URL", &testkit::redis::url()),
            ("REDIS_PREFIX", &testkit::redis::random_prefix()),
            ("SECRET_KEY", "a key for tests, long enough for anybody"),
            ("ENVIRONMENT", "test"),
            ("BCRYPT_COST", "4"),
            ("HTTP_THREADS", "1"),
            ("RATE_LIMITS", "off"),
            ("LOG_FORMAT", "json"),
            ("SHUTDOWN_GRACE_SECONDS", "3"),
            ("TRUSTED_PROXIES", "127.0.0.1"),
        ];
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut fleet = Self {
            workers: Vec::new(),
            _database: database,
            vars: vars.to_vec(),
            faults: Faults::default(),
        };
        for number in 0..2 {
            let worker = fleet.worker(number);
            fleet.workers.push(worker);
        }
        for worker in &fleet.workers {
            ready(&fleet.client(worker.addr())).await;
        }
        fleet.take_faults();
        fleet
    }

    /// Starts a worker, which is not ready yet.
    fn worker(&self, number: usize) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qtable"));
        command
            .arg("serve")
            .envs(self.vars.iter().map(|(name, value)| (name, value)))
            .env("WORKER_ID", format!("w{number}"));
        Process::start(command)
    }

    /// A client of whoever listens there.
    pub fn client(&self, address: SocketAddr) -> Client {
        Client::new(address, Faults::clone(&self.faults))
    }

    /// What the image's health check says of a worker: how it ends, and its words.
    pub async fn healthcheck(&self, worker: usize) -> (bool, String) {
        let address = self.workers[worker].addr();
        let mut command = Command::new(env!("CARGO_BIN_EXE_qtable"));
        command
            .arg("healthcheck")
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), words)
    }

    /// Answers of 5xx since the last call.
    pub fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock())
    }
}

async fn ready(client: &Client) {
    until("a process to be ready", DEADLINE, async || {
        // Until it listens, there is nobody to send a request to.
        tokio::net::TcpStream::connect(client.address).await.ok()?;
        (client.get("/health/ready").await.status == 200).then_some(())
    })
    .await;
}

/// nginx with the configuration that is shipped, in front of a fleet.
pub struct Balancer {
    pub address: SocketAddr,
    process: Process,
    directory: PathBuf,
}

impl Balancer {
    /// In front of a fleet, once it answers.
    pub async fn start(fleet: &Fleet) -> Self {
        let workers: Vec<_> = fleet.workers.iter().map(Process::addr).collect();
        let balancer = Self::before(&workers);
        ready(&fleet.client(balancer.address)).await;
        balancer
    }

    /// Only the two files that are meant to be replaced are: where it listens, where workers are.
    pub fn before(workers: &[SocketAddr]) -> Self {
        let address = free_address();
        let directory = std::env::temp_dir().join(format!("qt_test_nginx_{}", address.port()));
        // What a killed run of the same number has left.
        let _nothing = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("run")).unwrap();
        for file in fs::read_dir(root().join("deploy/nginx")).unwrap() {
            let file = file.unwrap().path();
            fs::copy(&file, directory.join(file.file_name().unwrap())).unwrap();
        }
        fs::write(directory.join("listen.conf"), format!("listen {address};")).unwrap();
        let servers = workers
            .iter()
            .map(|worker| format!("server {worker} max_fails=2 fail_timeout=5s;"))
            .collect::<String>();
        let upstream =
            format!("upstream workers {{ zone workers 64k; least_conn; {servers} keepalive 64; }}");
        fs::write(directory.join("upstream.conf"), upstream).unwrap();
        let mut command = Command::new(program());
        command
            .arg("-p")
            .arg(directory.join("run"))
            .arg("-c")
            .arg(directory.join("nginx.conf"))
            // One process, so that it is gone when the test is.
            .args(["-e", "stderr", "-g", "master_process off;"]);
        Self {
            address,
            process: Process::start(command),
            directory,
        }
    }

    /// What it has logged: requests, and what went wrong.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// A restaurant that knows nobody but the balancer.
    pub async fn restaurant(&self, fleet: &Fleet) -> Restaurant {
        Restaurant::of(&fleet.client(self.address)).await
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ended = fs::remove_dir_all(&self.directory);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own configuration, which no server ever reads"
)]
fn program() -> String {
    std::env::var("TEST_NGINX").expect("run the tests by scripts/test, which finds nginx")
}

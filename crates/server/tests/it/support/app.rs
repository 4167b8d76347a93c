//! Several workers of one installation, in this process: a database and a Redis prefix of their
//! own, real listeners on free ports.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::clock::Clock;
use parking_lot::Mutex;
use server::Config;
use server::Server;
use testkit::database::{Template, TestDatabase};
use testkit::process::Process;
use testkit::wait::{DEADLINE, until};
use tokio::sync::OnceCell;

use super::Client;

/// An installation.
pub struct TestApp {
    workers: Vec<Server>,
    started: usize,
    database: TestDatabase,
    vars: HashMap<String, String>,
    time: TestTime,
    faults: Faults,
    is_finished: bool,
}

/// Answers with 5xx that no test asked for.
pub type Faults = Arc<Mutex<Vec<String>>>;

/// The machine's clock, and how far a test has moved it.
#[derive(Clone, Default)]
pub struct TestTime(Arc<AtomicI64>);

impl TestTime {
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let offset = Arc::clone(&self.0);
        #[expect(
            clippy::disallowed_methods,
            reason = "tests are where the time is handed in"
        )]
        Clock::new(move || Utc::now() + TimeDelta::milliseconds(offset.load(Ordering::SeqCst)))
    }
}

static TEMPLATE: OnceCell<Template> = OnceCell::const_new();

/// A migrated database of its own.
pub async fn database() -> TestDatabase {
    let template = TEMPLATE
        .get_or_init(async || {
            let key = domain::migrations::fingerprint();
            Template::prepare(&testkit::database::admin_url(), key, async |url| {
                domain::migrations::run(&url).await.unwrap();
            })
            .await
        })
        .await;
    template.create().await
}

impl TestApp {
    /// Two workers.
    pub async fn start() -> Self {
        Self::with(2, &[]).await
    }

    /// So many workers, with these variables beside the usual ones. An empty value removes one.
    pub async fn with(workers: usize, vars: &[(&str, &str)]) -> Self {
        let database = database().await;
        Self::on(database, workers, vars).await
    }

    /// The same on a database that is there.
    pub async fn on(database: TestDatabase, workers: usize, vars: &[(&str, &str)]) -> Self {
        let usual = [
            ("DATABASE_URL", database.url.as_str()),
            ("DATABASE_POOL_SIZE", "6"),
            ("REDIS_URL", &testkit::redis::url()),
            ("REDIS_PREFIX", &testkit::redis::random_prefix()),
            ("SECRET_KEY", "a key for tests, long enough for anybody"),
            ("ENVIRONMENT", "test"),
            ("BCRYPT_COST", "4"),
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("HTTP_THREADS", "1"),
            ("RATE_LIMITS", "off"),
            ("PUBLIC_URL", "https://door.example"),
        ];
        let mut vars: HashMap<String, String> = usual
            .iter()
            .chain(vars)
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        vars.retain(|_, value| !value.is_empty());
        let mut app = Self {
            workers: Vec::new(),
            started: 0,
            database,
            vars,
            time: TestTime::default(),
            faults: Faults::default(),
            is_finished: false,
        };
        for _ in 0..workers {
            app.add_worker().await;
        }
        app
    }

    /// Sets a variable for the workers to come.
    pub fn set_var(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// Starts one more worker and waits until it is ready. Returns its number.
    pub async fn add_worker(&mut self) -> usize {
        let number = self.add_worker_unready();
        let client = self.client(number);
        testkit::wait::until(
            "the worker to be ready",
            testkit::wait::DEADLINE,
            async || (client.get("/health/ready").await.status == 200).then_some(()),
        )
        .await;
        self.faults.lock().clear();
        number
    }

    /// Starts one more worker without waiting.
    pub fn add_worker_unready(&mut self) -> usize {
        let number = self.workers.len();
        let mut vars = self.vars.clone();
        // One name for each that ever was: those that share one would not hear each other.
        vars.insert("WORKER_ID".into(), format!("w{}", self.started));
        self.started += 1;
        let config = Config::from_vars(|name| vars.get(name).cloned()).unwrap();
        self.workers
            .push(Server::start(config, self.time.clock()).unwrap());
        number
    }

    /// Stops the last worker, as a deploy would.
    pub async fn stop_worker(&mut self, grace: Duration) {
        self.workers.pop().unwrap().stop(grace).await;
    }

    /// Stops a worker and starts another in its place, at another address.
    pub async fn restart_worker(&mut self, number: usize, grace: Duration) {
        self.workers.swap_remove(number).stop(grace).await;
        let new = self.add_worker().await;
        self.workers.swap(number, new);
    }

    /// One more worker as a process of its own, which a test may kill, with more variables.
    pub async fn process(&self, vars: &[(&str, &str)]) -> (Process, Client) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qtable"));
        command.arg("serve").env_clear().envs(&self.vars);
        command.envs(vars.iter().copied());
        let process = Process::start(command);
        let client = Client::new(process.addr(), Arc::clone(&self.faults));
        until("the process to be ready", DEADLINE, async || {
            let ready = client.request(reqwest::Method::GET, "/health/ready");
            ready
                .send()
                .await
                .ok()
                .filter(|ready| ready.status() == 200)
        })
        .await;
        (process, client)
    }

    /// A worker.
    pub fn worker(&self, number: usize) -> &Server {
        &self.workers[number]
    }

    /// A client of a worker, without a credential.
    pub fn client(&self, worker: usize) -> Client {
        Client::new(self.workers[worker].address, Arc::clone(&self.faults))
    }

    /// The clock of all workers.
    pub fn time(&self) -> &TestTime {
        &self.time
    }

    /// Where the database is, for looking behind the workers' backs.
    pub fn database_url(&self) -> &str {
        &self.database.url
    }

    /// Answers of 5xx so far; a test that provoked them takes them away.
    pub fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock())
    }

    /// Stops everything; at the end every log is without gaps and nobody got an unexpected 5xx.
    pub async fn finish(mut self) {
        self.is_finished = true;
        self.check_logs().await;
        let faults = self.take_faults();
        for worker in self.workers.drain(..) {
            worker.stop(Duration::ZERO).await;
        }
        assert!(faults.is_empty(), "unexpected faults: {faults:#?}");
    }

    async fn check_logs(&self) {
        let sql = connect(self.database_url()).await;
        let rows = sql
            .query(
                "SELECT h.restaurant_id::text, h.last_seq - h.pruned_seq, count(e.seq), \
                 count(*) FILTER (WHERE e.frame::jsonb ->> 'seq' <> e.seq::text) \
                 FROM log_heads h LEFT JOIN events e USING (restaurant_id) \
                 GROUP BY h.restaurant_id",
                &[],
            )
            .await
            .unwrap();
        for row in rows {
            let (id, expected, found, wrong) = (
                row.get::<_, String>(0),
                row.get::<_, i64>(1),
                row.get::<_, i64>(2),
                row.get::<_, i64>(3),
            );
            assert_eq!(expected, found, "the log of {id} has gaps");
            assert_eq!(wrong, 0, "frames of {id} carry other numbers than the log");
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(
            self.is_finished || std::thread::panicking(),
            "call finish() at the end of a test"
        );
    }
}

/// A connection of the test's own.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// What `qtable check-config --connect` says of these variables, and whether it is content.
pub fn check_config(vars: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_qtable"))
        .args(["check-config", "--connect"])
        .env_clear()
        .env("SECRET_KEY", "a key for tests, long enough for anybody")
        .envs(vars.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), said)
}

//! What all scenarios are told alike.

use std::time::Duration;

use futures_util::future::try_join_all;
use wire::RestaurantId;

use super::arrivals::Pace;
use super::processes::{Cost, Processes, Readings, own_cpu};
use super::report::Report;
use super::worker::Worker;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Common {
    /// The workers. Sessions and connections are spread over them.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "http://127.0.0.1:8000,http://127.0.0.1:8001"
    )]
    pub(crate) url: Vec<String>,
    /// An account that exists: by default the one that `qtable seed-demo` makes.
    #[arg(long, default_value = "test@restaurant.com")]
    pub(crate) email: String,
    /// Its password.
    #[arg(long, default_value = "password123")]
    pub(crate) password: String,
    /// One of its restaurants; the server chooses when there is none.
    #[arg(long)]
    pub(crate) restaurant: Option<RestaurantId>,
    /// Makes an account and a restaurant of its own instead.
    #[arg(long)]
    pub(crate) register: bool,
    /// The servers' process ids; by default those that listen where the workers are.
    #[arg(long, value_delimiter = ',')]
    pub(crate) pids: Vec<u32>,
    /// Other processes whose cost is told, with all that they started: `postgres=123`.
    #[arg(long, value_delimiter = ',')]
    pub(crate) also_pids: Vec<String>,
    /// Prints one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How many requests are made, and when.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Requests {
    /// Connections over which requests are made.
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: usize,
    /// For how long they are made.
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Requests per second, by the clock (open loop); by default each connection asks again as soon
    /// as it was answered.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// For how long the same is done before anything is measured.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) warm_up: f64,
}

impl Requests {
    /// What is measured.
    pub(crate) fn pace(&self) -> anyhow::Result<Pace> {
        pace(self.rate, self.seconds)
    }

    /// What comes before it.
    pub(crate) fn warm_up(&self) -> anyhow::Result<Pace> {
        pace(self.rate, self.warm_up)
    }
}

/// As many requests as there are in this time.
///
/// # Errors
/// When the time or the rate makes no sense.
pub(crate) fn pace(rate: Option<f64>, seconds: f64) -> anyhow::Result<Pace> {
    anyhow::ensure!(
        rate.is_none_or(|rate| rate.is_finite() && rate > 0.0),
        "a rate is above 0"
    );
    Ok(Pace {
        rate,
        length: Duration::try_from_secs_f64(seconds)?,
        most: u64::MAX,
    })
}

impl Common {
    /// The workers.
    pub(crate) async fn workers(&self) -> anyhow::Result<Vec<Worker>> {
        try_join_all(self.url.iter().map(|url| Worker::find(url))).await
    }

    /// Begins to count what the processes cost.
    pub(crate) fn meter(&self, workers: &[Worker]) -> anyhow::Result<Meter> {
        Meter::new(
            Processes::servers(workers, &self.pids)?,
            Processes::others(&self.also_pids)?,
        )
    }
}

/// Counts what processes cost.
pub(crate) struct Meter {
    pub(crate) servers: Processes,
    others: Processes,
    before: (Readings, Readings),
    own_before: Duration,
}

impl Meter {
    fn new(servers: Processes, others: Processes) -> anyhow::Result<Self> {
        Ok(Self {
            before: (servers.read(), others.read()),
            own_before: own_cpu()?,
            servers,
            others,
        })
    }

    /// Begins again from now.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.before = (self.servers.read(), self.others.read());
        self.own_before = own_cpu()?;
        Ok(())
    }

    /// Writes down what was used until now.
    pub(crate) fn stop(&self, report: &mut Report) -> anyhow::Result<()> {
        report.servers = self.servers.cost(&self.before.0, &self.servers.read());
        report.others = self.others.cost(&self.before.1, &self.others.read());
        let own = own_cpu()?.saturating_sub(self.own_before);
        report.client_cpu_seconds += own.as_secs_f64();
        Ok(())
    }
}

/// Processor time of all of these.
pub(crate) fn cpu_seconds(costs: &[Cost]) -> f64 {
    costs.iter().map(|cost| cost.cpu_seconds).sum()
}

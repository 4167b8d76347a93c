//! What is counted, for Prometheus.
//!
//! Each worker has a registry of its own, so that several of them live in one test process. What
//! the server itself does is counted here as it happens. What other parts count for themselves
//! (the hub, the bus, the pool) is read when somebody asks: see [`Metrics::on_scrape`].
//!
//! All names begin with `qtable_`, save those about the process, whose names are a convention.

mod machine;
pub mod page;
mod sheet;

use std::time::Duration;

use domain::db::Appended;
use parking_lot::RwLock;
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use wire::live::events::EventKind;
use wire::live::frames::CloseCode;

use crate::platform::commits::OnCommit;
pub use page::{MetricsPage, listen};
pub use sheet::Sheet;

/// How the names of all metrics begin.
pub(crate) const PREFIX: &str = "qtable";

/// Upper bounds in seconds: fine where the targets are (a write in a few milliseconds), coarse up
/// to the time-outs.
const SECONDS: [f64; 14] = [
    0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

type Hook = Box<dyn Fn(&mut Sheet) + Send + Sync>;

/// The counters of one worker.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    requests_in_flight: IntGauge,
    database_seconds: HistogramVec,
    database_failures: IntCounterVec,
    events: IntCounterVec,
    disconnects: IntCounterVec,
    work: IntCounterVec,
    worked_rows: IntCounterVec,
    hooks: RwLock<Vec<Hook>>,
}

impl Metrics {
    /// All at nought.
    ///
    /// # Errors
    /// When two metrics have one name, which a test would find first.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help).namespace(PREFIX), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let seconds = |name: &str, help: &str, labels: &[&str]| {
            let opts = HistogramOpts::new(name, help).namespace(PREFIX);
            let histograms = HistogramVec::new(opts.buckets(SECONDS.to_vec()), labels)?;
            registry.register(Box::new(histograms.clone()))?;
            Ok::<_, prometheus::Error>(histograms)
        };
        let metrics = Self {
            requests: counters(
                "http_requests_total",
                "Requests by method, route and status; 499 is a client that went away.",
                &["method", "route", "status"],
            )?,
            request_seconds: seconds(
                "http_request_duration_seconds",
                "From the request's head to the response's head.",
                &["method", "route"],
            )?,
            requests_in_flight: IntGauge::with_opts(
                Opts::new("http_requests_in_flight", "Requests without an answer yet.")
                    .namespace(PREFIX),
            )?,
            database_seconds: seconds(
                "database_operation_duration_seconds",
                "Reads and transactions by operation, the wait for a connection included.",
                &["operation"],
            )?,
            database_failures: counters(
                "database_operation_failures_total",
                "Reads and transactions that failed, by operation.",
                &["operation"],
            )?,
            events: counters(
                "events_committed_total",
                "Events that this worker wrote to the log, by kind.",
                &["kind"],
            )?,
            disconnects: counters(
                "disconnects_total",
                "Sockets that ended, by close code; 1006 is one that broke.",
                &["code"],
            )?,
            work: counters(
                "background_rounds_total",
                "Rounds of work in the background, by work and whether it went well.",
                &["work", "result"],
            )?,
            worked_rows: counters(
                "background_rows_total",
                "Rows for which work in the background did something, by work.",
                &["work"],
            )?,
            hooks: RwLock::default(),
            registry,
        };
        metrics
            .registry
            .register(Box::new(metrics.requests_in_flight.clone()))?;
        metrics.describe_the_program()?;
        metrics.begin_at_nought();
        Ok(metrics)
    }

    /// A request was answered.
    pub fn request(&self, method: &str, route: &str, status: u16, elapsed: Duration) {
        let mut number = [0; 3];
        self.requests
            .with_label_values(&[method, route, digits(status, &mut number)])
            .inc();
        self.request_seconds
            .with_label_values(&[method, route])
            .observe(elapsed.as_secs_f64());
    }

    /// Counts a request for as long as the value lives.
    #[must_use]
    pub fn request_in_flight(&self) -> InFlight {
        self.requests_in_flight.inc();
        InFlight(self.requests_in_flight.clone())
    }

    /// A read or a transaction ended.
    pub fn database_operation(&self, operation: &str, elapsed: Duration, is_ok: bool) {
        self.database_seconds
            .with_label_values(&[operation])
            .observe(elapsed.as_secs_f64());
        if !is_ok {
            self.database_failures.with_label_values(&[operation]).inc();
        }
    }

    /// An event was committed.
    fn event_committed(&self, kind: EventKind) {
        self.events.with_label_values(&[kind.as_str()]).inc();
    }

    /// Where rooms add what they count.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A socket ended: with a close code of ours, or `None` when it broke.
    pub fn disconnected(&self, code: Option<CloseCode>) {
        let code = code.map_or(1006, CloseCode::number);
        self.disconnects
            .with_label_values(&[code.to_string().as_str()])
            .inc();
    }

    /// Shows a kind of work in the background before its first round.
    pub fn expect_work(&self, work: &str) {
        for result in ["ok", "failed"] {
            self.work.with_label_values(&[work, result]).inc_by(0);
        }
        self.worked_rows.with_label_values(&[work]).inc_by(0);
    }

    /// A round of work in the background ended: with something done for so many rows, or `None` when
    /// it failed.
    pub fn worked(&self, work: &str, rows: Option<usize>) {
        let result = if rows.is_some() { "ok" } else { "failed" };
        self.work.with_label_values(&[work, result]).inc();
        let rows = rows.and_then(|rows| u64::try_from(rows).ok());
        self.worked_rows
            .with_label_values(&[work])
            .inc_by(rows.unwrap_or(0));
    }

    /// Has what others count written down whenever somebody asks.
    pub fn on_scrape(&self, hook: impl Fn(&mut Sheet) + Send + Sync + 'static) {
        self.hooks.write().push(Box::new(hook));
    }

    /// Everything, in Prometheus' text format.
    ///
    /// # Errors
    /// When a hook wrote something that the format cannot hold.
    pub fn render(&self) -> prometheus::Result<String> {
        let mut sheet = Sheet::default();
        for hook in self.hooks.read().iter() {
            hook(&mut sheet);
        }
        let mut families = self.registry.gather();
        families.extend(sheet.into_families());
        TextEncoder::new().encode_to_string(&families)
    }

    fn describe_the_program(&self) -> prometheus::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        let info = IntGauge::with_opts(
            Opts::new("build_info", "Always 1; the version is a label.")
                .namespace(PREFIX)
                .const_label("version", version),
        )?;
        info.set(1);
        self.registry.register(Box::new(info))?;
        let gauge = |name: &str, help: &str, value: f64| {
            let gauge = Gauge::with_opts(Opts::new(name, help).namespace(PREFIX))?;
            gauge.set(value);
            self.registry.register(Box::new(gauge))
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "Prometheus counts in floating point"
        )]
        {
            let help = "Processors that this worker may use.";
            gauge("cpus", help, machine::cpus() as f64)?;
            if let Some(bytes) = machine::memory_limit() {
                let help = "Memory that this worker may use.";
                gauge("memory_limit_bytes", help, bytes as f64)?;
            }
        }
        #[cfg(target_os = "linux")]
        self.registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        Ok(())
    }

    /// A counter that is not there until something happens has no rate when it does.
    fn begin_at_nought(&self) {
        for kind in EventKind::ALL {
            self.events.with_label_values(&[kind.as_str()]).inc_by(0);
        }
        for number in CloseCode::ALL
            .into_iter()
            .map(CloseCode::number)
            .chain([1006])
        {
            self.disconnects
                .with_label_values(&[number.to_string().as_str()])
                .inc_by(0);
        }
    }
}

impl OnCommit for Metrics {
    fn committed(&self, appended: &Appended) {
        for event in &appended.events {
            self.event_committed(event.kind);
        }
    }
}

/// A request that has no answer yet.
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Writes a status without allocating: this runs for every request.
fn digits(status: u16, into: &mut [u8; 3]) -> &str {
    let digit = |n: u16| b'0' + u8::try_from(n % 10).unwrap_or(0);
    *into = [digit(status / 100), digit(status / 10), digit(status)];
    std::str::from_utf8(into).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_happens() {
        let metrics = Metrics::new().unwrap();
        metrics.request("GET", "/api/v1/guests", 200, Duration::from_millis(4));
        metrics.request("GET", "/api/v1/guests", 404, Duration::from_millis(4));
        metrics.database_operation("list_guests", Duration::from_millis(1), false);
        metrics.event_committed(EventKind::GuestUpdated);
        metrics.event_committed(EventKind::GuestUpdated);
        metrics.disconnected(Some(CloseCode::TooSlow));
        metrics.disconnected(None);
        metrics.expect_work("holds.sweep");
        metrics.worked("holds.sweep", Some(7));
        metrics.worked("holds.sweep", None);
        let in_flight = metrics.request_in_flight();
        let text = metrics.render().unwrap();
        for line in [
            r#"qtable_http_requests_total{method="GET",route="/api/v1/guests",status="404"} 1"#,
            r#"qtable_http_request_duration_seconds_count{method="GET",route="/api/v1/guests"} 2"#,
            r#"qtable_database_operation_failures_total{operation="list_guests"} 1"#,
            r#"qtable_events_committed_total{kind="guest_updated"} 2"#,
            r#"qtable_events_committed_total{kind="guest_deleted"} 0"#,
            r#"qtable_disconnects_total{code="4503"} 1"#,
            r#"qtable_disconnects_total{code="1006"} 1"#,
            r#"qtable_disconnects_total{code="1001"} 0"#,
            r#"qtable_background_rounds_total{result="failed",work="holds.sweep"} 1"#,
            r#"qtable_background_rows_total{work="holds.sweep"} 7"#,
            "qtable_http_requests_in_flight 1",
            &format!(
                r#"qtable_build_info{{version="{}"}} 1"#,
                env!("CARGO_PKG_VERSION")
            ),
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        #[cfg(target_os = "linux")]
        assert!(text.contains("process_resident_memory_bytes"));
        drop(in_flight);
        let text = metrics.render().unwrap();
        assert!(text.contains("qtable_http_requests_in_flight 0"));
    }

    #[test]
    fn two_workers_count_apart() {
        let (one, two) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        one.disconnected(Some(CloseCode::Normal));
        assert!(two.render().unwrap().contains(r#"{code="1000"} 0"#));
    }

    #[test]
    fn statuses_in_digits() {
        assert_eq!(digits(200, &mut [0; 3]), "200");
        assert_eq!(digits(499, &mut [0; 3]), "499");
    }
}

//! Reports of faults to a tracker that speaks Sentry's protocol.
//!
//! What the log says at the level of errors is reported: answers of 500, panics, background work
//! that failed through a fault of ours. A report has the words of the line, where it comes from,
//! release, environment and worker, and of the line's fields only those that are listed here: by the
//! request's id and the trace's the rest is found in the log. No bodies, no headers, no names.
//!
//! Nobody waits for a report. Those that cannot be sent are dropped, and so are those that are too
//! many: a tracker wants to know that something happens, not each time that it does.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use parking_lot::Mutex;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use sentry_types::Dsn;
use sentry_types::protocol::v7::{Envelope, Event};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, LevelFilter};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::config::Config;
use crate::seen::logs;
use crate::seen::scrub::scrubbed;

const AGENT: &str = concat!("qtable/", env!("CARGO_PKG_VERSION"));
const RELEASE: &str = concat!("qtable@", env!("CARGO_PKG_VERSION"));

/// The fields of a line that are reported as they are, to be searched for.
const TAGS: [&str; 7] = [
    "code",
    "operation",
    "place",
    "request_id",
    "restaurant",
    "route",
    "trace_id",
];

/// Those that are reported scrubbed: texts of the database and of libraries.
const TEXTS: [&str; 2] = ["cause", "error"];

/// So many reports may come at once, and one more for each pause.
const BURST: u32 = 20;
const PAUSE: Duration = Duration::from_secs(3);

/// How many reports wait for their sending at most.
const QUEUE: usize = 64;

/// How long the tracker may take for one.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it is left alone when it says that it has enough, and does not say for how long.
const LEFT_ALONE: u64 = 60;

/// How long what is left may take at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// The way to the tracker.
pub struct Reports {
    queue: mpsc::Sender<Event<'static>>,
    environment: &'static str,
    worker_id: String,
    end: CancellationToken,
    sending: JoinHandle<()>,
}

impl Reports {
    /// Opens the way, if there is a tracker. It need not be there yet.
    ///
    /// # Errors
    /// When its address cannot be one.
    pub fn start(config: &Config, runtime: &Handle) -> anyhow::Result<Option<Self>> {
        let Some(dsn) = &config.sentry_dsn else {
            return Ok(None);
        };
        let dsn = dsn.reveal().parse().context("SENTRY_DSN")?;
        let http = Client::builder().timeout(PATIENCE).build()?;
        let (queue, queued) = mpsc::channel(QUEUE);
        let end = CancellationToken::new();
        let sending = Sending {
            http,
            dsn,
            not_before: Instant::now(),
        };
        Ok(Some(Self {
            queue,
            environment: config.environment.as_str(),
            worker_id: config.worker_id.clone(),
            sending: runtime.spawn(sending.run(queued, end.clone())),
            end,
        }))
    }

    /// What turns lines into reports.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let reporter = Reporter {
            queue: self.queue.clone(),
            environment: self.environment,
            worker_id: self.worker_id.clone(),
            allowance: Mutex::new(Allowance::full(Instant::now())),
        };
        reporter.with_filter(LevelFilter::ERROR.and(logs::discretion()))
    }

    /// Sends what is left, for two seconds at most.
    pub async fn finish(mut self) {
        self.end.cancel();
        if tokio::time::timeout(FAREWELL, &mut self.sending)
            .await
            .is_err()
        {
            tracing::warn!("the last reports of faults were not sent");
            self.sending.abort();
        }
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").finish_non_exhaustive()
    }
}

/// Makes reports of lines.
struct Reporter {
    queue: mpsc::Sender<Event<'static>>,
    environment: &'static str,
    worker_id: String,
    allowance: Mutex<Allowance>,
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Reporter {
    /// The request's span has its id, which a panic does not know.
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let Some(unreported) = self.allowance.lock().take(Instant::now()) else {
            return;
        };
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.tags.extend(of_span.tags.clone());
            }
        }
        event.record(&mut fields);
        let report = self.report(event.metadata(), fields, unreported);
        // When the queue is full enough is known already.
        let _sent = self.queue.try_send(report);
    }
}

impl Reporter {
    fn report(&self, line: &Metadata<'_>, fields: Fields, unreported: u64) -> Event<'static> {
        let Fields {
            mut tags,
            texts,
            message,
        } = fields;
        // What is the same fault: the line, and which route, code or place it is about.
        let same = ["route", "code", "operation", "place"];
        let same = same.iter().filter_map(|name| tags.get(*name).cloned());
        let fingerprint = [message.clone(), line.target().to_owned()];
        let fingerprint: Vec<_> = fingerprint
            .into_iter()
            .chain(same)
            .map(Into::into)
            .collect();
        let mut extra: BTreeMap<_, _> = texts
            .into_iter()
            .map(|(name, text)| (name, text.into()))
            .collect();
        if unreported > 0 {
            extra.insert("unreported".to_owned(), unreported.into());
        }
        tags.insert("worker".to_owned(), self.worker_id.clone());
        Event {
            fingerprint: fingerprint.into(),
            transaction: tags.get("route").cloned(),
            message: Some(message),
            logger: Some(line.target().to_owned()),
            platform: "native".into(),
            server_name: Some(self.worker_id.clone().into()),
            release: Some(RELEASE.into()),
            environment: Some(self.environment.into()),
            tags: tags.into_iter().collect(),
            extra: extra.into_iter().collect(),
            ..Event::default()
        }
    }
}

/// What a report says of a line's fields.
#[derive(Default)]
struct Fields {
    message: String,
    tags: BTreeMap<String, String>,
    texts: BTreeMap<String, String>,
}

impl Fields {
    fn note(&mut self, field: &Field, value: impl FnOnce() -> String) {
        let name = field.name();
        if name == "message" {
            self.message = value();
        } else if TAGS.contains(&name) {
            self.tags.insert(name.to_owned(), value());
        } else if TEXTS.contains(&name) {
            self.texts.insert(name.to_owned(), scrubbed(&value()));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, || value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, || format!("{value:?}"));
    }
}

/// How many reports may be made.
struct Allowance {
    left: u32,
    /// Up to when what was spent has come back.
    since: Instant,
    /// How many were not allowed since the last that was.
    unreported: u64,
}

impl Allowance {
    fn full(now: Instant) -> Self {
        Self {
            left: BURST,
            since: now,
            unreported: 0,
        }
    }

    /// Takes one, and says how many there could have been before it.
    fn take(&mut self, now: Instant) -> Option<u64> {
        while self.left < BURST && now.saturating_duration_since(self.since) >= PAUSE {
            self.left += 1;
            self.since += PAUSE;
        }
        if self.left == BURST {
            self.since = now;
        }
        if self.left == 0 {
            self.unreported += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.unreported))
    }
}

/// Sends reports, one after the other.
struct Sending {
    http: Client,
    dsn: Dsn,
    not_before: Instant,
}

impl Sending {
    async fn run(mut self, mut queued: mpsc::Receiver<Event<'static>>, end: CancellationToken) {
        loop {
            let report = tokio::select! {
                biased;
                report = queued.recv() => report,
                () = end.cancelled(), if !queued.is_closed() => {
                    queued.close();
                    continue;
                }
            };
            let Some(report) = report else {
                return;
            };
            if Instant::now() >= self.not_before {
                self.send(report).await;
            }
        }
    }

    async fn send(&mut self, report: Event<'static>) {
        let mut body = Vec::new();
        if Envelope::from(report).to_writer(&mut body).is_err() {
            return;
        }
        let request = self
            .http
            .post(self.dsn.envelope_api_url())
            .header("x-sentry-auth", self.dsn.to_auth(Some(AGENT)).to_string())
            .header(CONTENT_TYPE, "application/x-sentry-envelope")
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                self.not_before = Instant::now() + wait(&answer);
            }
            Ok(answer) => tracing::debug!(status = answer.status().as_u16(), "reported a fault"),
            Err(error) => {
                let error = error.without_url();
                tracing::debug!(%error, "a fault could not be reported");
            }
        }
    }
}

/// How long the tracker wants to be left alone.
fn wait(answer: &Response) -> Duration {
    let header = answer.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(LEFT_ALONE).min(3600))
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn only_what_is_listed_is_told_of_a_line_and_its_request() {
        let (queue, mut queued) = mpsc::channel(QUEUE);
        let reporter = Reporter {
            queue,
            environment: "test",
            worker_id: "w-1".to_owned(),
            allowance: Mutex::new(Allowance::full(Instant::now())),
        };
        let lines = tracing_subscriber::registry().with(reporter.with_filter(LevelFilter::ERROR));
        tracing::subscriber::with_default(lines, || {
            let request = tracing::error_span!("request", request_id = "r-1", phone = "0151");
            request.in_scope(|| {
                tracing::warn!("no fault");
                let cause = "no \"Ann\"";
                tracing::error!(place = "a.rs:1", cause, name = "Ann", "panicked");
            });
        });
        let report = queued.try_recv().unwrap();
        assert!(queued.try_recv().is_err());
        assert_eq!(report.message.as_deref(), Some("panicked"));
        let tags = report.tags.iter();
        let tags: Vec<_> = tags.map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            tags,
            [
                ("place", "a.rs:1"),
                ("request_id", "r-1"),
                ("worker", "w-1")
            ]
        );
        let extra = serde_json::to_value(&report.extra).unwrap();
        assert_eq!(extra, serde_json::json!({"cause": "no \"[…]\""}));
        let fingerprint = ["panicked", "server::seen::reports::tests", "a.rs:1"];
        assert_eq!(report.fingerprint.as_ref(), fingerprint);
    }

    #[test]
    fn a_storm_of_faults_is_a_few_reports() {
        let mut now = Instant::now();
        let mut allowance = Allowance::full(now);
        now += 100 * PAUSE;
        let taken = (0..100).filter(|_| allowance.take(now).is_some());
        assert_eq!(taken.count(), BURST as usize);
        assert_eq!(allowance.take(now + PAUSE / 2), None);
        // 80 of the storm, and the one after it.
        assert_eq!(allowance.take(now + PAUSE), Some(81));
        assert_eq!(allowance.take(now + PAUSE), None);
        now += 100 * PAUSE;
        assert_eq!(allowance.take(now), Some(1));
        let taken = (0..100).filter(|_| allowance.take(now).is_some());
        assert_eq!(taken.count(), BURST as usize - 1);
    }
}

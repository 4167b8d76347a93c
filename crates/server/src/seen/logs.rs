//! The log: one line per event, on standard output, as JSON for programs or as text for people.
//!
//! Only the binary installs it, since it is the one thing that a process has once. What must not be
//! logged: tokens, passwords, bodies, query strings, names and phone numbers of guests. Texts of others
//! go through [`scrubbed`]; and the lines in which libraries tell what they send are not written at any
//! level.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;

use anyhow::Context;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt as lines};

use crate::config::{LogConfig, LogFormat};
use crate::seen::reports::Reports;
use crate::seen::scrub::scrubbed;
use crate::seen::traces::Traces;

/// Installs the log of this process, and its traces and reports if they are wanted.
///
/// # Errors
/// When there is one already.
pub fn init(
    config: &LogConfig,
    worker_id: &str,
    traces: Option<&Traces>,
    reports: Option<&Reports>,
) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).context("LOG_LEVEL")?;
    tracing_subscriber::registry()
        .with(layer(config.format, worker_id).with_filter(filter.and(discretion())))
        .with(traces.map(Traces::layer))
        .with(reports.map(Reports::layer))
        .try_init()
        .context("the log is installed already")?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Whoever turns the level up to look for a fault does not want the parameters of all statements in
/// the log, which the database's driver writes at `debug`, nor the bytes that clients of sockets
/// and of HTTP write at `trace`.
///
/// And what the HTTP library says of a connection on which no HTTP is spoken, it says at the level of
/// errors: anybody could fill the log with it, and use up the reports. [`crate::platform::http`] says the same
/// at `debug`.
pub(crate) fn discretion() -> Targets {
    Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_target("tokio_postgres", LevelFilter::INFO)
        .with_target("tungstenite", LevelFilter::INFO)
        .with_target("hyper", LevelFilter::DEBUG)
        .with_target("reqwest", LevelFilter::DEBUG)
        .with_target("actix_http::h1", LevelFilter::OFF)
}

fn layer(format: LogFormat, worker_id: &str) -> Box<dyn Layer<Registry> + Send + Sync> {
    let worker = worker_id.to_owned();
    match format {
        LogFormat::Json => {
            let inner = Format::default()
                .json()
                .flatten_event(true)
                .with_span_list(false);
            let layer = lines::layer().fmt_fields(JsonFields::new());
            layer.event_format(Json { worker, inner }).boxed()
        }
        LogFormat::Pretty => {
            let inner = Format::default().compact();
            let layer = lines::layer().with_ansi(io::stdout().is_terminal());
            layer.event_format(Pretty { worker, inner }).boxed()
        }
    }
}

/// A panic is a fault of ours like others, and belongs into the same log.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let cause = scrubbed(panic.payload_as_str().unwrap_or("no message"));
    tracing::error!(place, cause, "panicked");
}

/// JSON lines that begin with the worker, so that the logs of all can be read as one.
struct Json<F> {
    worker: String,
    inner: F,
}

impl<S, N, F> FormatEvent<S, N> for Json<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // The formatter has no place for a field of every line: it is put behind the first brace.
        let mut line = String::with_capacity(512);
        self.inner
            .format_event(context, Writer::new(&mut line), event)?;
        let fields = line.strip_prefix('{').unwrap_or(&line);
        write!(writer, "{{\"worker\":\"{}\",{fields}", self.worker)
    }
}

/// Text lines that begin with the worker.
struct Pretty<F> {
    worker: String,
    inner: F,
}

impl<S, N, F> FormatEvent<S, N> for Pretty<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "{} ", self.worker)?;
        self.inner.format_event(context, writer, event)
    }
}

/// The address of a service without the name and password in it.
#[must_use]
pub fn address(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let mut address = String::new();
    // Writing to a string does not fail.
    let _written = write!(address, "{scheme}://{host}");
    address
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Page {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn write() {
        let span = tracing::error_span!("request", request_id = "r-1");
        span.in_scope(|| tracing::info!(status = 200, "a \"line\""));
    }

    #[test]
    fn json_lines_say_which_worker_and_which_request() {
        let page = Page::default();
        let inner = Format::default()
            .json()
            .flatten_event(true)
            .with_span_list(false);
        let format = Json {
            worker: "w-1".into(),
            inner,
        };
        let layer = lines::layer()
            .fmt_fields(JsonFields::new())
            .event_format(format);
        let subscriber = tracing_subscriber::registry().with(layer.with_writer(page.clone()));
        tracing::subscriber::with_default(subscriber, write);
        let line: serde_json::Value = serde_json::from_slice(&page.0.lock()).unwrap();
        assert_eq!(line["worker"], "w-1");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "a \"line\"");
        assert_eq!(line["status"], 200);
        assert_eq!(line["span"]["request_id"], "r-1");
    }

    #[test]
    fn text_lines_begin_with_the_worker() {
        let page = Page::default();
        let format = Pretty {
            worker: "w-1".into(),
            inner: Format::default().compact(),
        };
        let layer = lines::layer().with_ansi(false).event_format(format);
        let subscriber = tracing_subscriber::registry().with(layer.with_writer(page.clone()));
        tracing::subscriber::with_default(subscriber, write);
        let line = String::from_utf8(page.0.lock().clone()).unwrap();
        assert!(line.starts_with("w-1 "), "{line}");
        assert!(
            line.contains("request_id") && line.ends_with('\n'),
            "{line}"
        );
    }

    #[test]
    fn nothing_whole_is_shown() {
        assert_eq!(
            address("postgres://u:p@ss@db:5432/x?password=y"),
            "postgres://db:5432/x"
        );
        assert_eq!(address("redis://cache"), "redis://cache");
    }
}

//! What can be seen from outside: logs, metrics, reports of faults.

use sentry_types::Dsn;

use super::vars::Vars;
use super::{Environment, Secret};

/// How the worker writes its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A filter in the syntax of `tracing`: `info`, or `info,domain=debug`.
    pub filter: String,
    /// For programs or for people.
    pub format: LogFormat,
}

/// For programs or for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object on each line.
    Json,
    /// Lines for people.
    Pretty,
}

/// Who may read the metrics, and where.
#[derive(Clone, Debug, Default)]
pub struct MetricsConfig {
    /// To be shown as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// A port of their own; then they are not on the main one.
    pub port: Option<u16>,
}

pub(super) fn log(vars: &Vars<'_>, environment: Environment) -> LogConfig {
    let default = if environment.is_production() {
        LogFormat::Json
    } else {
        LogFormat::Pretty
    };
    LogConfig {
        filter: vars
            .parsed("LOG_LEVEL", "info", filter)
            .unwrap_or_else(|| "info".to_owned()),
        format: vars.word(
            "LOG_FORMAT",
            &[("json", LogFormat::Json), ("pretty", LogFormat::Pretty)],
            default,
        ),
    }
}

fn filter(text: &str) -> Result<String, String> {
    // The words of Python's logging, which the deployments of the reference use.
    let filter = match text.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        "notset" => "trace".to_owned(),
        word @ ("trace" | "debug" | "info" | "warn" | "error" | "off") => word.to_owned(),
        // A bare word would otherwise be taken as the name of a module, and silence all others.
        word if word.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            return Err("is to be trace, debug, info, warn, error, off or a filter".to_owned());
        }
        _ => text.to_owned(),
    };
    match tracing_subscriber::EnvFilter::builder().parse(&filter) {
        Ok(_) => Ok(filter),
        Err(_) => Err("is not a filter that can be read".to_owned()),
    }
}

pub(super) fn metrics(vars: &Vars<'_>) -> MetricsConfig {
    MetricsConfig {
        token: vars.text("METRICS_TOKEN").map(Secret::new),
        port: vars.parsed("METRICS_PORT", "9100", |text| {
            text.parse().map_err(|_| "is to be a port".to_owned())
        }),
    }
}

pub(super) fn sentry_dsn(vars: &Vars<'_>) -> Option<Secret> {
    vars.parsed("SENTRY_DSN", "https://key@sentry.example/1", |text| {
        match text.parse::<Dsn>() {
            Ok(_) => Ok(Secret::new(text)),
            // Nothing of the text, which has a key in it.
            Err(_) => Err("is to be a DSN, as the tracker shows it".to_owned()),
        }
    })
}

//! `qtable check-config`: is everything set as it should be?

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use wire::health::BusKind;

use super::Variables;
use super::probe::probe;
use crate::app;
use crate::config::{Config, ConfigFault, CorsOrigins, Registration};
use crate::people::defaults;
use crate::seen::logs::address;

/// Says what is wrong with the environment variables, all of it at once.
#[derive(Args, Debug)]
pub struct CheckConfig {
    /// Connects to PostgreSQL and Redis, too, and says what came of it.
    #[arg(long)]
    connect: bool,
}

impl CheckConfig {
    /// Prints what was found; fails when there is a fault.
    pub async fn run(self, variables: Variables<'_>) -> ExitCode {
        match Config::from_vars(variables) {
            Ok(config) => {
                print!("{}", good(&config));
                if self.connect {
                    return connected(&config).await;
                }
                ExitCode::SUCCESS
            }
            Err(faults) => {
                print!("{}", bad(&faults));
                ExitCode::FAILURE
            }
        }
    }
}

async fn connected(config: &Config) -> ExitCode {
    let mut lines = probe(config).await;
    lines.extend(open_accounts(config).await.map(|line| (false, line)));
    for (is_good, line) in &lines {
        println!("{} {line}", if *is_good { '✓' } else { '✗' });
    }
    if lines.iter().all(|(is_good, _)| *is_good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Accounts that production cannot have. A schema that is not there yet has none.
async fn open_accounts(config: &Config) -> Option<String> {
    if !config.environment.is_production() {
        return None;
    }
    let db = app::database(config).ok()?;
    let passwords = app::passwords(config, 1);
    let found = defaults::open_accounts(&db, &passwords).await.ok()?;
    let emails: Vec<&str> = found.iter().map(|one| one.email.as_str()).collect();
    (!emails.is_empty()).then(|| {
        let emails = emails.join(", ");
        format!(
            "accounts with passwords that everybody knows: {emails}. They are closed when a worker \
             starts in production."
        )
    })
}

fn bad(faults: &[ConfigFault]) -> String {
    let mut page = String::new();
    for fault in faults {
        let ConfigFault {
            variable,
            problem,
            example,
        } = fault;
        // Writing to a string does not fail, here and below.
        let _ = writeln!(page, "✗ {variable} {problem}\n    {variable}={example}");
    }
    let count = faults.len();
    let plural = if count == 1 { "" } else { "s" };
    let _ = writeln!(
        page,
        "\n{count} fault{plural}: qtable will not start like this."
    );
    page
}

fn good(config: &Config) -> String {
    let mut page = String::new();
    let Config {
        auth,
        http,
        live,
        metrics,
        ..
    } = config;
    let replica = config.database.replica.as_ref().map_or_else(
        || "none".to_owned(),
        |replica| {
            format!(
                "{}, {} connections, {}, {} s behind at most",
                address(replica.url.reveal()),
                replica.pool_size,
                replica.security,
                replica.max_lag.as_secs()
            )
        },
    );
    let redis = config.redis.as_ref().map_or_else(
        || "none".to_owned(),
        |redis| {
            let urls = redis.urls.iter();
            urls.map(|url| format!("{}, {}", address(url.reveal()), redis.security(url)))
                .collect::<Vec<_>>()
                .join("; ")
        },
    );
    let bus = match config.bus {
        BusKind::Redis => "redis",
        BusKind::Postgres => "the notifications of the database",
        BusKind::Local => "none: one worker only",
    };
    let cors = match &http.cors {
        CorsOrigins::Any => "web pages of every origin".to_owned(),
        CorsOrigins::These(origins) if origins.is_empty() => "no web pages of other origins".into(),
        CorsOrigins::These(origins) => origins.join(", "),
    };
    let limits = config.limits.map_or_else(
        || "off".to_owned(),
        |limits| {
            let (reads, writes) = (limits.reads, limits.writes);
            format!("{reads} reads and {writes} writes of an account in a minute")
        },
    );
    let registration = match auth.registration {
        Registration::Open => "open",
        Registration::Closed => "closed",
    };
    let metrics_at = match (metrics.port, &metrics.token) {
        (Some(port), Some(_)) => format!("port {port}, with the token"),
        (Some(port), None) => format!("port {port}"),
        (None, Some(_)) => "/metrics, with the token".to_owned(),
        (None, None) if config.environment.is_production() => "hidden".to_owned(),
        (None, None) => "/metrics, for everybody".to_owned(),
    };
    let traces = config.traces.as_ref().map_or_else(
        || "none".to_owned(),
        |traces| {
            let (to, share) = (address(&traces.endpoint), traces.ratio * 100.0);
            format!("{to}, {share} % of them")
        },
    );
    let faults = config.sentry_dsn.as_ref().map_or_else(
        || "told by the log alone".to_owned(),
        |dsn| format!("reported to {}", address(dsn.reveal())),
    );
    for (what, how) in [
        ("environment", config.environment.as_str().to_owned()),
        (
            "listens on",
            format!("{}:{}, {} threads", http.host, http.port, http.threads),
        ),
        ("links", format!("to {}", http.public_url.origin())),
        (
            "database",
            format!(
                "{}, {} connections, {}",
                address(config.database.url.reveal()),
                config.database.pool_size,
                config.database.security
            ),
        ),
        ("replica", replica),
        ("redis", redis),
        ("bus", bus.to_owned()),
        ("registration", registration.to_owned()),
        ("callers", cors),
        ("rate limits", limits),
        (
            "sockets",
            format!(
                "{} at most, heartbeat after {} s",
                live.shares.all,
                live.heartbeat.as_secs()
            ),
        ),
        (
            "event log",
            format!("{} days", live.retention.as_secs() / 86_400),
        ),
        (
            "audit",
            format!("{} days", live.audit_retention.as_secs() / 86_400),
        ),
        ("metrics", metrics_at),
        ("traces", traces),
        ("faults", faults),
    ] {
        let _ = writeln!(page, "✓ {what:<13} {how}");
    }
    for warning in config.warnings() {
        let _ = writeln!(page, "! {warning}");
    }
    let count = config.warnings().len();
    let warnings = match count {
        0 => String::new(),
        1 => ", with a warning".to_owned(),
        _ => format!(", with {count} warnings"),
    };
    let _ = writeln!(page, "\nThe configuration will do{warnings}.");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(vars: &[(&str, &str)]) -> String {
        let found = Config::from_vars(|name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        found.map_or_else(|faults| bad(&faults), |config| good(&config))
    }

    #[test]
    fn every_fault_at_once() {
        insta::assert_snapshot!(page(&[("PORT", "x"), ("SECRET_KEY", "hunter2")]), @"
        ✗ DATABASE_URL is required
            DATABASE_URL=postgres://qtable:password@localhost:5432/qtable
        ✗ SECRET_KEY is to have at least 8 bytes
            SECRET_KEY=$(openssl rand -base64 48)
        ✗ PORT is to be a whole number from 0 to 65535
            PORT=8000

        3 faults: qtable will not start like this.
        ");
    }

    #[test]
    fn what_will_be_done() {
        let page = page(&[
            ("DATABASE_URL", "postgres://u:hunter2@db/qtable"),
            ("SECRET_KEY", "q8Zr1vN0yXw3LkTf5HdJ7sBa9GpMcEuR2oVi4"),
            ("ENVIRONMENT", "production"),
            ("PUBLIC_URL", "https://qtable.example"),
            ("HTTP_THREADS", "2"),
            ("DATABASE_POOL_SIZE", "8"),
            ("DATABASE_REPLICA_URL", "postgres://u:hunter2@copy/qtable"),
            ("DATABASE_REPLICA_POOL_SIZE", "4"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("SENTRY_DSN", "https://hunter2@sentry.example/1"),
        ]);
        assert!(!page.contains("hunter2"));
        insta::assert_snapshot!(page, @"
        ✓ environment   production
        ✓ listens on    0.0.0.0:8000, 2 threads
        ✓ links         to https://qtable.example
        ✓ database      postgres://db/qtable, 8 connections, encrypted if the server offers it, not verified
        ✓ replica       postgres://copy/qtable, 4 connections, encrypted if the server offers it, not verified, 10 s behind at most
        ✓ redis         none
        ✓ bus           none: one worker only
        ✓ registration  open
        ✓ callers       no web pages of other origins
        ✓ rate limits   6000 reads and 3000 writes of an account in a minute
        ✓ sockets       18000 at most, heartbeat after 25 s
        ✓ event log     7 days
        ✓ audit         400 days
        ✓ metrics       hidden
        ✓ traces        http://collector:4318/v1/traces, 25 % of them
        ✓ faults        reported to https://sentry.example/1
        ! TRUSTED_PROXIES is not set: behind a load balancer all clients seem to have its address, and share one rate limit and half of the sockets. Where its address is not known, TRUSTED_PROXIES=private trusts the private networks.
        ! There is no bus (REDIS_URL is not set, and BUS is not postgres): run one worker only, a second one would not hear of the changes of the first until it looks into the log.
        ! Neither METRICS_TOKEN nor METRICS_PORT is set: /metrics answers 404 in production.

        The configuration will do, with 3 warnings.
        ");
    }
}

//! The configuration: environment variables, read once and handed in.
//!
//! Nothing else in the program asks the environment. All faults are found in one go, and each says
//! which variable it is, what is wrong and what would be right. A value that may be a secret is
//! never repeated in a fault.

mod auth;
mod data;
mod http;
mod limits;
mod live;
mod menu;
mod secret;
mod seen;
mod traces;
mod vars;

pub use auth::{AuthConfig, Registration};
pub use data::{DatabaseConfig, RedisConfig, RedisSecurity};
pub use http::{CorsOrigins, HttpConfig, PublicUrl, TrustedProxies};
pub use limits::LimitsConfig;
pub use live::{LiveConfig, SharesConfig, SocketTransport};
pub use menu::MenuConfig;
pub use secret::Secret;
pub use seen::{LogConfig, LogFormat, MetricsConfig};
pub use traces::TraceConfig;
pub use vars::ConfigFault;

use wire::health::BusKind;

use self::vars::Vars;

/// Everything that a worker is told from outside.
#[derive(Clone, Debug)]
pub struct Config {
    /// What kind of installation this is.
    pub environment: Environment,
    /// What this worker calls itself. Replicas share their variables, so it is random by default.
    pub worker_id: String,
    /// The database.
    pub database: DatabaseConfig,
    /// Redis, if there is one.
    pub redis: Option<RedisConfig>,
    /// By what workers hear of each other.
    pub bus: BusKind,
    /// Credentials.
    pub auth: AuthConfig,
    /// HTTP.
    pub http: HttpConfig,
    /// How much anybody may ask for; `None` when nobody counts.
    pub limits: Option<LimitsConfig>,
    /// Sockets and the event log.
    pub live: LiveConfig,
    /// Menus.
    pub menu: MenuConfig,
    /// The log.
    pub log: LogConfig,
    /// The metrics.
    pub metrics: MetricsConfig,
    /// What is broken on purpose.
    #[cfg(feature = "faults")]
    pub fault: Option<realtime::Fault>,
    /// Where faults are reported, if anywhere: a DSN, with its key in it.
    pub sentry_dsn: Option<Secret>,
    /// The collector of traces, if there is one.
    pub traces: Option<TraceConfig>,
    /// What works, but perhaps not as meant.
    warnings: Vec<String>,
}

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Somebody's desk.
    Development,
    /// The real thing: defaults that everybody knows are refused.
    Production,
    /// Automated tests: cheap password hashes are accepted.
    Test,
}

impl Environment {
    /// Whether this is the real thing.
    #[must_use]
    pub const fn is_production(self) -> bool {
        matches!(self, Self::Production)
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
            Self::Test => "test",
        }
    }
}

impl Config {
    /// Reads the configuration out of variables, wherever they come from.
    ///
    /// # Errors
    /// Every fault of every variable.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigFault>> {
        let vars = Vars::new(&get);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let environment = environment(&vars);
        let mut config = Self {
            environment,
            worker_id: worker_id(&vars),
            database: data::database(&vars, cores),
            redis: data::redis(&vars),
            bus: data::bus(&vars),
            auth: auth::read(&vars, environment),
            http: http::read(&vars, environment, cores),
            limits: limits::read(&vars),
            live: live::read(&vars),
            menu: menu::read(&vars),
            log: seen::log(&vars, environment),
            metrics: seen::metrics(&vars),
            #[cfg(feature = "faults")]
            fault: fault(&vars, environment),
            sentry_dsn: seen::sentry_dsn(&vars),
            traces: traces::read(&vars),
            warnings: Vec::new(),
        };
        config.warnings = warnings(&config);
        let faults = vars.into_faults();
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults)
        }
    }

    /// What works, but perhaps not as meant.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn environment(vars: &Vars<'_>) -> Environment {
    vars.word(
        "ENVIRONMENT",
        &[
            ("development", Environment::Development),
            ("production", Environment::Production),
            ("test", Environment::Test),
        ],
        Environment::Development,
    )
}

/// Only in builds that are made to fail.
#[cfg(feature = "faults")]
fn fault(vars: &Vars<'_>, environment: Environment) -> Option<realtime::Fault> {
    let words = realtime::Fault::ALL.map(|(word, fault)| (word, Some(fault)));
    let fault = vars.word("QTABLE_FAULT", &words, None);
    if fault.is_some() && environment.is_production() {
        vars.fault("QTABLE_FAULT", "is not for production", "");
    }
    fault
}

fn worker_id(vars: &Vars<'_>) -> String {
    let read = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.len() <= 64 && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("is to have at most 64 letters, digits, dots and dashes".to_owned())
        }
    };
    vars.parsed("WORKER_ID", "worker-1", read)
        .unwrap_or_else(|| format!("{:08x}", rand::random::<u32>()))
}

fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(redis) = &config.redis {
        redis.warnings(&mut warnings);
    }
    http::warnings(&config.http, config.environment, &mut warnings);
    if config.environment.is_production() {
        if config.bus == BusKind::Local {
            warnings.push(
                "There is no bus (REDIS_URL is not set, and BUS is not postgres): run one worker \
                 only, a second one would not hear of the changes of the first until it looks \
                 into the log."
                    .to_owned(),
            );
        }
        if config.metrics.token.is_none() && config.metrics.port.is_none() {
            warnings.push(
                "Neither METRICS_TOKEN nor METRICS_PORT is set: /metrics answers 404 in production."
                    .to_owned(),
            );
        }
    }
    warnings
}

#[cfg(test)]
mod tests;

//! Where traces go. The names and meanings are those of the OpenTelemetry specification.

use super::Secret;
use super::vars::Vars;

/// Where traces go, and how many.
#[derive(Clone, Debug)]
pub struct TraceConfig {
    /// The collector's address for traces: `http(s)://…/v1/traces`.
    pub endpoint: String,
    /// Sent with each request to the collector; keys of vendors stand here.
    pub headers: Vec<(String, Secret)>,
    /// What this installation is called.
    pub service: String,
    /// The part of all traces that is kept, 0–1.
    pub ratio: f64,
}

/// `None` without a collector.
pub(super) fn read(vars: &Vars<'_>) -> Option<TraceConfig> {
    let ratio = vars.parsed("OTEL_TRACES_SAMPLER_ARG", "0.1", |text| {
        match text.parse::<f64>() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
            _ => Err("is to be a number from 0 to 1".to_owned()),
        }
    });
    let headers = vars.parsed("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret", |text| {
        text.split(',').map(header).collect()
    });
    let service = vars.text("OTEL_SERVICE_NAME");
    let endpoint = vars.parsed(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://collector:4318",
        |url| {
            let is_http = ["http://", "https://"].iter().any(|scheme| {
                url.strip_prefix(scheme)
                    .is_some_and(|rest| !rest.is_empty())
            });
            if is_http && !url.contains(char::is_whitespace) {
                Ok(format!("{}/v1/traces", url.trim_end_matches('/')))
            } else {
                Err("is to be an http:// or https:// address".to_owned())
            }
        },
    )?;
    Some(TraceConfig {
        endpoint,
        headers: headers.unwrap_or_default(),
        service: service.unwrap_or_else(|| "qtable".to_owned()),
        ratio: ratio.unwrap_or(1.0),
    })
}

fn header(pair: &str) -> Result<(String, Secret), String> {
    let (name, value) = pair
        .split_once('=')
        .ok_or("is to be name=value, separated by commas")?;
    let name = name.trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err("has a name that no header can have".to_owned());
    }
    Ok((name.to_owned(), Secret::new(value.trim())))
}

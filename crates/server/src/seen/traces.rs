//! Traces for a collector: from a request through its transaction to the workers that are told,
//! as OpenTelemetry has them, over OTLP/HTTP.
//!
//! Spans are made at the target `trace` and the level of traces, which no filter of the log asks
//! for: without a collector they are switched off where they stand, and cost nothing. A request
//! that comes with `traceparent` goes on in its trace. How many traces are kept is for the operator
//! to say and not for whoever sends a header, so a remote parent's wish to be sampled is not
//! followed; the decision goes by the trace's id, and is the same at every service with the same
//! share.
//!
//! ```text
//! request                 POST /api/v1/restaurants/{rid}/guests
//! └ transaction           guests.create
//!   └ publish             until the bus has confirmed the message
//!     ├ relay             at this worker
//!     └ relay             at each other that has sessions of the restaurant
//! ```
//!
//! A commit that the others have to read from the log (too large for a message, or told by
//! `NOTIFY`, which has no room) is relayed without a span there. Frames carry no trace, since they
//! are kept: the audit's entry of an event has the request's id, and the log's line of that request
//! the trace's.

use std::fmt;

use actix_web::http::header::HeaderMap;
use anyhow::Context as _;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, Sampler, SamplingResult, SdkTracerProvider, ShouldSample,
};
use realtime::{Relay, TracePlace, Traced};
use tokio::runtime::Handle;
use tracing::field::Empty;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::config::TraceConfig;

/// The target of all spans that are exported.
pub const TARGET: &str = "trace";

/// The way to the collector. Spans leave in batches, from a thread of their own.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Opens the way. The collector need not be there: what cannot be sent is dropped.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn start(config: &TraceConfig, worker_id: &str, runtime: Handle) -> anyhow::Result<Self> {
        let headers = config.headers.iter();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client {
                inner: reqwest::Client::builder()
                    .timeout(std::time::Duration::from_secs(10))
                    .build()?,
                runtime,
            })
            .with_endpoint(&config.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_headers(
                headers
                    .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
                    .collect(),
            )
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let resource = Resource::builder_empty()
            .with_service_name(config.service.clone())
            .with_attributes([
                KeyValue::new("service.instance.id", worker_id.to_owned()),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).build())
            .with_sampler(OwnShare(Sampler::TraceIdRatioBased(config.ratio)))
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// What turns spans into traces.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("qtable"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE))
    }

    /// Sends what is left. Blocks for some seconds at most.
    pub fn finish(self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

/// Puts a request's span into the trace that its `traceparent` names. Returns the id of its trace,
/// for the log; nothing when there are no traces or this one is not kept.
pub fn adopt(span: &Span, headers: &HeaderMap) -> Option<TraceId> {
    if span.is_disabled() {
        return None;
    }
    let remote = TraceContextPropagator::new().extract(&Headers(headers));
    if remote.span().span_context().is_valid() {
        // Fails only where nobody makes traces of spans.
        span.set_parent(remote).ok()?;
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    (own.is_valid() && own.is_sampled()).then(|| own.trace_id())
}

/// Begins the span in which a transaction's commit is made known, and says where it stands, so that
/// what every worker does with the commit goes on from there. Nothing when its trace is not kept.
pub fn publish(transaction: &Span) -> Option<Box<Traced>> {
    if transaction.is_disabled() {
        return None;
    }
    let span = tracing::trace_span!(
        target: TARGET, parent: transaction, "publish",
        otel.kind = "producer", otel.status_code = Empty,
    );
    let context = span.context();
    let own = context.span().span_context().clone();
    let place = TracePlace {
        trace_id: own.trace_id().to_bytes(),
        span_id: own.span_id().to_bytes(),
        flags: own.trace_flags().to_u8(),
    };
    (own.is_valid() && own.is_sampled()).then(|| Box::new(Traced { place, span }))
}

/// The span in which a commit's frames are handed to those who follow its restaurant at this worker.
#[must_use]
pub fn relay(relay: &Relay) -> Span {
    let (first, last) = relay.range;
    let span = tracing::trace_span!(
        target: TARGET, parent: None, "relay", otel.kind = "consumer",
        qtable.restaurant.id = %relay.restaurant_id,
        qtable.seq.first = first, qtable.seq.last = last,
        qtable.sessions = relay.sessions, qtable.behind_ms = relay.behind_ms,
    );
    if !span.is_disabled() {
        let parent = SpanContext::new(
            TraceId::from_bytes(relay.parent.trace_id),
            SpanId::from_bytes(relay.parent.span_id),
            TraceFlags::new(relay.parent.flags),
            true,
            TraceState::NONE,
        );
        // Fails only where nobody makes traces of spans.
        let _adopted = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    span
}

/// Gives a span another name.
pub fn rename(span: &Span, name: String) {
    span.context().span().update_name(name);
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(actix_web::http::header::HeaderName::as_str)
            .collect()
    }
}

/// Spans within a trace follow its first one here; for that one the share decides.
#[derive(Clone, Debug)]
struct OwnShare(Sampler);

impl ShouldSample for OwnShare {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let local = parent
            .map(|parent| parent.span().span_context().clone())
            .filter(|parent| parent.is_valid() && !parent.is_remote());
        let sampler = match local {
            Some(parent) if parent.is_sampled() => &Sampler::AlwaysOn,
            Some(_) => &Sampler::AlwaysOff,
            None => &self.0,
        };
        sampler.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}

/// Sends on the program's own runtime: the thread that exports has none.
#[derive(Clone, Debug)]
struct Client {
    inner: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.inner.clone();
        let sending = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
        });
        sending.await?
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::SamplingDecision;

    use super::*;

    fn decision(ratio: f64, is_remote: bool, is_sampled: bool) -> SamplingDecision {
        let id = TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        let flags = TraceFlags::default().with_sampled(is_sampled);
        let state = TraceState::default();
        let parent = SpanContext::new(id, SpanId::from(7), flags, is_remote, state);
        let parent = Context::new().with_remote_span_context(parent);
        let sampler = OwnShare(Sampler::TraceIdRatioBased(ratio));
        let (kind, name) = (SpanKind::Server, "request");
        let result = sampler.should_sample(Some(&parent), id, name, &kind, &[], &[]);
        result.decision
    }

    #[test]
    fn who_sends_a_header_does_not_decide_what_is_kept() {
        use SamplingDecision::{Drop, RecordAndSample};
        for (ratio, is_remote, is_sampled, expected) in [
            (0.0, true, true, Drop),
            (1.0, true, false, RecordAndSample),
            (0.0, false, true, RecordAndSample),
            (1.0, false, false, Drop),
        ] {
            assert_eq!(decision(ratio, is_remote, is_sampled), expected);
        }
    }
}

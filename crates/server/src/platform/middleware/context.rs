//! What is known of a request while it is answered, and what is done to every answer.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, RequestHead, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use opentelemetry::trace::TraceId;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;
use wire::{RestaurantId, UserId};

use super::{Platform, client, compress, head, mount, security};
use crate::pages;
use crate::platform::errors::ApiError;
use crate::platform::faults;
use crate::platform::routing::Row;
use crate::seen::metrics::{InFlight, Metrics};
use crate::seen::traces;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// So much of a path is logged, in bytes: the longest of a route is half as long.
const LOGGED_PATH: usize = 256;

/// The route of what no route answers, in logs and metrics.
const UNMATCHED: &str = "unmatched";

/// What is known of a request while it is answered. Handlers can take it as an argument.
#[derive(Clone)]
pub struct Context(Rc<Known>);

struct Known {
    request_id: String,
    method: &'static str,
    uri: Uri,
    mount: &'static str,
    client: Option<IpAddr>,
    is_https: bool,
    started: Instant,
    /// Whether it is a person who asks: a browser that opens a page.
    wants_page: bool,
    row: RefCell<Option<Rc<Row>>>,
    restaurant: Cell<Option<RestaurantId>>,
    user: Cell<Option<UserId>>,
    trace_id: Cell<Option<TraceId>>,
}

impl Context {
    /// For a request that has just come in, with its path as the client wrote it.
    #[must_use]
    pub fn new(head: &RequestHead, platform: &Platform) -> Self {
        Self(Rc::new(Known {
            request_id: request_id(head),
            method: method(head),
            uri: head.uri.clone(),
            mount: mount::split(head.uri.path()).0,
            client: client::client_ip(head, &platform.proxies),
            is_https: client::is_https(head, &platform.proxies),
            started: Instant::now(),
            wants_page: wants_page(head),
            row: RefCell::default(),
            restaurant: Cell::default(),
            user: Cell::default(),
            trace_id: Cell::default(),
        }))
    }

    /// The context of a request that came through [`super::around`].
    #[must_use]
    pub fn of(request: &impl HttpMessage) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// The id of the request, as in `X-Request-Id`.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The trace that the request is part of, if it is kept.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.trace_id.get()
    }

    /// The path as the client wrote it, mount included; the route in its place where it has, or may
    /// have, a secret in it.
    #[must_use]
    pub fn path(&self) -> Cow<'_, str> {
        let known = &self.0;
        match &*known.row.borrow() {
            Some(row) if row.has_secret() => Cow::Borrowed(row.canonical),
            Some(_) => Cow::Borrowed(known.uri.path()),
            None => mount::without_secrets(known.uri.path()),
        }
    }

    /// What stood before the path: `/api/v1`, `/api` or nothing. Links back go the same way.
    #[must_use]
    pub fn mount(&self) -> &'static str {
        self.0.mount
    }

    /// The address of the client.
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.0.client
    }

    /// Whether the client spoke TLS, as far as a trusted proxy says so.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.is_https
    }

    /// The pattern of the route that answers.
    #[must_use]
    pub fn route(&self) -> Option<&'static str> {
        self.0.row.borrow().as_ref().map(|row| row.canonical)
    }

    /// What is true of the route that answers.
    #[must_use]
    pub fn row(&self) -> Option<Rc<Row>> {
        self.0.row.borrow().clone()
    }

    /// The restaurant that the request is about.
    #[must_use]
    pub fn restaurant(&self) -> Option<RestaurantId> {
        self.0.restaurant.get()
    }

    /// Notes the route that answers.
    pub fn set_row(&self, row: Rc<Row>) {
        self.0.row.replace(Some(row));
    }

    /// Notes the restaurant, for the log.
    pub fn set_restaurant(&self, restaurant: RestaurantId) {
        self.0.restaurant.set(Some(restaurant));
    }

    /// Notes who is calling, for the log.
    pub fn set_user(&self, user: UserId) {
        self.0.user.set(Some(user));
    }

    /// The line in the log and the numbers in the metrics, once there is an answer.
    pub fn answered(&self, status: StatusCode, metrics: &Metrics) {
        let known = &self.0;
        let elapsed = known.started.elapsed();
        let route = self.route().unwrap_or(UNMATCHED);
        metrics.request(known.method, route, status.as_u16(), elapsed);
        self.write_line(route, status.as_u16(), elapsed);
    }

    /// What a trace says of the answer.
    fn trace<B>(&self, span: &Span, answer: &Result<ServiceResponse<B>, Error>) {
        if span.is_disabled() {
            return;
        }
        let status = match answer {
            Ok(answer) => answer.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        let route = self.route().unwrap_or(UNMATCHED);
        // The span began before its name was known.
        traces::rename(span, format!("{} {route}", self.0.method));
        span.record("http.route", route);
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }

    fn write_line(&self, route: &str, status: u16, elapsed: Duration) {
        let path = faults::clean(self.path().into_owned(), LOGGED_PATH);
        // The level is part of what tracing knows at compile time, hence the macro.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "access",
                    request_id = self.request_id(),
                    trace_id = self.0.trace_id.get().map(tracing::field::display),
                    method = self.0.method,
                    path,
                    route,
                    status,
                    duration_ms = (elapsed.as_secs_f64() * 100_000.0).round() / 100.0,
                    client = self.0.client.map(tracing::field::display),
                    restaurant = self.0.restaurant.get().map(tracing::field::display),
                    user = self.0.user.get().map(tracing::field::display),
                    "request"
                )
            };
        }
        if self.row().is_some_and(|row| row.is_quiet) {
            line!(debug);
        } else {
            line!(info);
        }
    }
}

impl FromRequest for Context {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let missing = || ApiError::internal(anyhow::anyhow!("the request has no context"));
        std::future::ready(Self::of(request).ok_or_else(missing))
    }
}

/// The outermost layer.
pub(super) async fn handle(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(platform) = request.app_data::<web::Data<Platform>>().cloned() else {
        let error = ApiError::internal(anyhow::anyhow!("the application has no platform"));
        return Ok(request.error_response(error));
    };
    let context = Context::new(request.head(), &platform);
    let head = head::check(request.head());
    mount::take_off(&mut request);
    request.extensions_mut().insert(context.clone());
    let mut unanswered = Unanswered::new(&context, &platform.metrics);

    let trace = tracing::trace_span!(
        target: traces::TARGET, parent: None, "request",
        otel.kind = "server", otel.status_code = Empty, request_id = context.request_id(),
        http.request.method = context.0.method, http.route = Empty, http.response.status_code = Empty,
    );
    let trace_id = traces::adopt(&trace, request.headers());
    context.0.trace_id.set(trace_id);
    // At the level of errors, so that no filter takes the request's id off their lines.
    let span = tracing::error_span!(
        "request",
        request_id = context.request_id(),
        trace_id = trace_id.map(tracing::field::display),
    );
    let answer = match head {
        Ok(()) => {
            let answer = next.call(request).instrument(span);
            let answer = answer.instrument(trace.clone()).await;
            answer.map(ServiceResponse::map_into_left_body)
        }
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    };

    unanswered.is_answered = true;
    context.trace(&trace, &answer);
    match answer {
        Ok(answer) => {
            let (request, answer) = answer.into_parts();
            let mut answer = dress(answer.map_into_boxed_body(), &context, &platform);
            if !request.headers().contains_key(header::ORIGIN) {
                // Meant for web pages of other origins; it would double the head for all others.
                let exposed = header::ACCESS_CONTROL_EXPOSE_HEADERS;
                answer.headers_mut().remove(exposed);
            }
            let answer = compress::compress(&request, answer);
            context.answered(answer.status(), &platform.metrics);
            Ok(ServiceResponse::new(request, answer))
        }
        // No layer of ours gives up its request; one that did would end here.
        Err(error) => {
            let answer = dress(error.error_response(), &context, &platform);
            context.answered(answer.status(), &platform.metrics);
            Err(InternalError::from_response(error, answer).into())
        }
    }
}

/// Gives an answer its id, its headers and, if it is an error, its envelope.
#[must_use]
pub fn dress(answer: HttpResponse, context: &Context, platform: &Platform) -> HttpResponse {
    let mut answer = enveloped(answer, context);
    let status = answer.status();
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::from_str(context.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    if status != StatusCode::SWITCHING_PROTOCOLS {
        if context
            .row()
            .is_some_and(|row| row.is_page() || row.has_secret())
        {
            security::keep_to_oneself(headers);
        }
        let strict_transport = platform.is_production && context.0.is_https;
        security::protect(status, headers, strict_transport);
    }
    answer
}

/// Puts errors into the envelope: ours with the request's id in it, which only is known here, and
/// the framework's own, which are bare text.
fn enveloped(answer: HttpResponse, context: &Context) -> HttpResponse {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return answer;
    }
    let body = match answer.error().and_then(Error::as_error::<ApiError>) {
        Some(error) => {
            error.log(context);
            error.body(context.request_id())
        }
        // Health says how it is with a 503 of its own, and a page what is wrong with its form.
        None if is_of_ours(&answer) => return answer,
        None => {
            let error = ApiError::of_status(status);
            error.log(context);
            error.body(context.request_id())
        }
    };
    let status = StatusCode::from_u16(body.status).unwrap_or(status);
    if context.0.wants_page && context.row().is_some_and(|row| row.is_page()) {
        let mut answer = pages::fault(answer.map_into_boxed_body(), &body);
        *answer.status_mut() = StatusCode::from_u16(body.status).unwrap_or(status);
        return answer;
    }
    let mut answer = match serde_json::to_vec(&body) {
        Ok(body) => answer.set_body(BoxBody::new(body)),
        Err(_) => answer.drop_body().map_into_boxed_body(),
    };
    *answer.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

fn is_of_ours(answer: &HttpResponse) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"application/json") || kind.starts_with(b"text/html")
    })
}

fn wants_page(head: &RequestHead) -> bool {
    let kinds = head.headers.get(header::ACCEPT);
    let kinds = kinds.and_then(|kinds| kinds.to_str().ok());
    kinds.is_some_and(|kinds| kinds.contains("text/html"))
}

/// The client's id for the request if it is sane, so that its log and ours can be read together.
fn request_id(head: &RequestHead) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    head.headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| (1..=64).contains(&id.len()) && id.bytes().all(plain))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The method as a label: one that somebody makes up is not worth a time series.
fn method(head: &RequestHead) -> &'static str {
    match head.method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// A request whose client may go away before there is an answer: then it is counted as 499, as
/// nginx does.
struct Unanswered<'a> {
    context: &'a Context,
    metrics: &'a Arc<Metrics>,
    is_answered: bool,
    _in_flight: InFlight,
}

impl<'a> Unanswered<'a> {
    fn new(context: &'a Context, metrics: &'a Arc<Metrics>) -> Self {
        Self {
            context,
            metrics,
            is_answered: false,
            _in_flight: metrics.request_in_flight(),
        }
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.is_answered
            && let Ok(gone) = StatusCode::from_u16(499)
        {
            self.context.answered(gone, self.metrics);
        }
    }
}

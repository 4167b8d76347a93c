//! The one error that handlers answer with, and the one place where a code becomes a status.
//!
//! Which error belongs where:
//! - a rule that a client broke is a `domain::Error`; its conversion is below;
//! - what cannot be read (body, query, header, path) is made by [`crate::platform::extract`];
//! - who may do what is decided in [`crate::access::auth`];
//! - what the framework refuses by itself is put into the envelope by [`ApiError::of_status`].
//!
//! An error of the 5xx kind tells the client nothing of the inside. Its cause is logged once, with
//! the request's id, by [`ApiError::log`], which [`crate::platform::middleware`] calls.

use std::borrow::Cow;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use tracing::field::display;
use wire::{Details, ErrorBody, ErrorCode, FieldError, ItemError};

use crate::platform::faults;
use crate::platform::middleware::Context;
use crate::seen::scrub::scrubbed;

/// An answer that is an error.
///
/// Boxed inside, so that a `Result` with it stays small.
pub struct ApiError(Box<Parts>);

struct Parts {
    code: ErrorCode,
    sentence: Cow<'static, str>,
    fields: Vec<FieldError>,
    items: Vec<ItemError>,
    more: usize,
    retry_after: Option<u64>,
    current: Option<serde_json::Value>,
    details: Option<Box<Details>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<anyhow::Error>,
}

/// The status of a code.
#[must_use]
pub const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated
        | ErrorCode::TokenExpired
        | ErrorCode::WrongCredentials
        | ErrorCode::RefreshRefused => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::RegistrationClosed => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::Conflict
        | ErrorCode::EmailTaken
        | ErrorCode::AlreadyMember
        | ErrorCode::LastOwner
        | ErrorCode::TableOccupied
        | ErrorCode::TableUnavailable
        | ErrorCode::PartyTooLarge
        | ErrorCode::TableNumberTaken
        | ErrorCode::InvalidTransition
        | ErrorCode::SlugTaken
        | ErrorCode::InProgress => StatusCode::CONFLICT,
        ErrorCode::ResyncRequired => StatusCode::GONE,
        ErrorCode::StaleVersion => StatusCode::PRECONDITION_FAILED,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl ApiError {
    /// An error with its code and a sentence for people.
    pub fn new(code: ErrorCode, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            sentence: faults::sentence(sentence.into()),
            fields: Vec::new(),
            items: Vec::new(),
            more: 0,
            retry_after: None,
            current: None,
            details: None,
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// No such resource, or none that the caller may know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing here.")
    }

    /// Fields that are missing or out of range.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let count = fields.len();
        Self::faults(fields, count)
    }

    /// Fields that are missing or out of range, of which these are known and there are so many.
    #[must_use]
    pub(crate) fn faults(fields: Vec<FieldError>, count: usize) -> Self {
        let (fields, more) = faults::fields(fields, count);
        let sentence = match (fields.as_slice(), more) {
            ([one], 0) => format!("{} {}.", one.field, one.message),
            (_, 0) => "Some fields are not right.".to_owned(),
            (told, _) => {
                let told = told.len();
                format!("{count} fields are not right. The first {told} are named.")
            }
        };
        let mut error = Self::new(ErrorCode::Invalid, sentence);
        error.0.fields = fields;
        error.0.more = more;
        error
    }

    /// A fault of the server. The cause is logged, never sent.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong here. The request id helps us to find it.",
        )
        .because(cause)
    }

    /// A part that is needed is away. The cause is logged, never sent.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self::new(
            ErrorCode::Unavailable,
            "A part of the service is away for the moment. Please try again.",
        )
        .because(cause)
    }

    /// The restaurant itself asks for more than it may have at once. Not 503: nothing is away, and
    /// another worker would not do it sooner.
    fn crowded(cause: &domain::Error) -> Self {
        let sentence = format!("Please come back in a moment: {cause}.");
        Self::new(ErrorCode::TooMany, sentence).retry_after(2)
    }

    /// What was asked for several who waited together, as each of them is told of it.
    pub(crate) fn shared(error: &domain::Error) -> Self {
        match error {
            domain::Error::NotFound(_) => Self::not_found(),
            domain::Error::Crowded(_) => Self::crowded(error),
            error => Self::unavailable(anyhow::anyhow!("{error}")),
        }
    }

    /// What the framework means by a bare status.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let (code, sentence) = match status {
            StatusCode::UNAUTHORIZED => (ErrorCode::Unauthenticated, "Please log in."),
            StatusCode::FORBIDDEN => (ErrorCode::Forbidden, "This is not allowed."),
            StatusCode::NOT_FOUND => return Self::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => (
                ErrorCode::MethodNotAllowed,
                "This path does not take this method.",
            ),
            StatusCode::CONFLICT => (ErrorCode::Conflict, "The state forbids it."),
            StatusCode::PAYLOAD_TOO_LARGE => (ErrorCode::TooLarge, "The request is too large."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                ErrorCode::UnsupportedMediaType,
                "The content type is not one that is read here.",
            ),
            StatusCode::TOO_MANY_REQUESTS => (ErrorCode::TooMany, "Too many requests."),
            StatusCode::SERVICE_UNAVAILABLE => {
                return Self::unavailable(anyhow::anyhow!("the framework answered {status}"));
            }
            status if status.is_client_error() => {
                (ErrorCode::BadRequest, "The request could not be read.")
            }
            _ => return Self::internal(anyhow::anyhow!("the framework answered {status}")),
        };
        Self::new(code, sentence)
    }

    /// Names those of several changes that cannot be made, `count` in all: 422 where all of them are
    /// at fault by themselves, 409 where the state forbids some.
    #[must_use]
    pub fn items(items: Vec<ItemError>, count: usize, mut sentence: String) -> Self {
        let is_invalid = items.iter().all(|item| item.code == ErrorCode::Invalid);
        let (items, more) = faults::items(items, count);
        if more > 0 {
            sentence.push_str(&format!(" The first {} are named.", items.len()));
        }
        let mut error = Self::new(
            if is_invalid {
                ErrorCode::Invalid
            } else {
                ErrorCode::Conflict
            },
            sentence,
        );
        error.0.items = items;
        error.0.more = more;
        error
    }

    /// Says after how many seconds to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Shows the resource as it is now (for `stale_version`).
    #[must_use]
    pub fn current(mut self, resource: serde_json::Value) -> Self {
        self.0.current = Some(resource);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Remembers what lies behind it, for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The sentence for people.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.0.sentence
    }

    /// The envelope.
    #[must_use]
    pub fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            error: self.0.sentence.clone().into_owned(),
            status: status(self.0.code).as_u16(),
            code: self.0.code,
            request_id: request_id.to_owned(),
            fields: self.0.fields.clone(),
            items: self.0.items.clone(),
            more: self.0.more,
            current: self.0.current.clone(),
            details: self.0.details.clone(),
        }
    }

    /// The whole answer, headers included.
    #[must_use]
    pub fn render(&self, request_id: &str) -> HttpResponse {
        let status = status(self.0.code);
        let mut answer = HttpResponse::build(status);
        if let Some(seconds) = self.wait() {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 wants it on every 401; "Bearer" opens no dialog in browsers.
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        for (name, value) in &self.0.headers {
            answer.insert_header((name, value));
        }
        answer.json(self.body(request_id))
    }

    /// Writes the cause to the log; to be called once for each answer.
    pub fn log(&self, context: &Context) {
        let (code, status) = (self.0.code, status(self.0.code).as_u16());
        let (request_id, trace_id) = (context.request_id(), context.trace_id());
        let cause = self.0.cause.as_ref();
        let cause = cause.map(|cause| scrubbed(&format!("{cause:#}")));
        match (cause, status) {
            (Some(cause), 500..) if code == ErrorCode::Internal => {
                let (trace_id, route) = (trace_id.map(display), context.route());
                tracing::error!(request_id, trace_id, route, %code, cause, "answered with a fault of the server");
            }
            (Some(cause), 500..) => {
                let trace_id = trace_id.map(display);
                tracing::warn!(request_id, trace_id, %code, cause, "answered as unavailable");
            }
            (None, 500..) => tracing::warn!(request_id, %code, sentence = %self.0.sentence),
            (Some(cause), _) => tracing::debug!(request_id, %code, cause, "refused"),
            (None, _) => {}
        }
    }

    /// Whoever has to come back is always told when.
    fn wait(&self) -> Option<u64> {
        let needed = matches!(
            self.0.code,
            ErrorCode::TooMany | ErrorCode::Unavailable | ErrorCode::InProgress
        );
        self.0.retry_after.or(needed.then_some(1))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.sentence)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("code", &self.0.code)
            .field("sentence", &self.0.sentence)
            .field("fields", &self.0.fields)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        status(self.0.code)
    }

    /// Without the request's id, which only the middleware knows: it renders the error again.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.render("")
    }
}

impl From<domain::Error> for ApiError {
    fn from(error: domain::Error) -> Self {
        use domain::Error as E;
        match error {
            E::Refused {
                code,
                message,
                details,
            } => {
                let mut error = Self::new(code, message);
                error.0.details = details;
                error
            }
            E::Invalid(fields) => Self::invalid(fields),
            E::NotFound(what) => {
                Self::new(ErrorCode::NotFound, format!("There is no such {what}."))
            }
            E::Stale(current) => {
                Self::new(ErrorCode::StaleVersion, "It has changed since you read it.")
                    .current(*current)
            }
            E::Items {
                ref failed, more, ..
            } => Self::items(failed.clone(), failed.len() + more, error.to_string()),
            E::Crowded(_) => Self::crowded(&error),
            E::Unavailable(_) | E::OutcomeUnknown | E::Contended => Self::unavailable(error),
            E::Database(_) | E::Internal(_) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status() {
        let table: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| format!("{} {code}", status(*code).as_u16()))
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
        400 bad_request
        422 invalid
        401 unauthenticated
        401 token_expired
        401 wrong_credentials
        401 refresh_refused
        403 forbidden
        403 registration_closed
        404 not_found
        405 method_not_allowed
        409 conflict
        409 email_taken
        409 already_member
        409 last_owner
        409 table_occupied
        409 table_unavailable
        409 party_too_large
        409 table_number_taken
        409 invalid_transition
        409 slug_taken
        409 in_progress
        412 stale_version
        413 too_large
        415 unsupported_media_type
        429 too_many
        410 resync_required
        503 unavailable
        500 internal
        ");
    }

    #[test]
    fn the_envelope() {
        let error = ApiError::invalid(vec![FieldError {
            field: "partySize".into(),
            message: "must be between 1 and 100".into(),
        }]);
        insta::assert_json_snapshot!(error.body("r-1"), @r#"
        {
          "error": "partySize must be between 1 and 100.",
          "status": 422,
          "code": "invalid",
          "requestId": "r-1",
          "fields": [
            {
              "field": "partySize",
              "message": "must be between 1 and 100"
            }
          ]
        }
        "#);
    }

    #[test]
    fn what_a_room_tells_stands_in_a_field_of_its_own() {
        #[derive(serde::Serialize, utoipa::ToSchema)]
        struct Oven {
            plates: u8,
            degrees: u16,
        }
        impl wire::Detail for Oven {
            const FIELD: &'static str = "oven";
            const MEANING: &'static str = "Too hot.";
        }
        let oven = Oven {
            plates: 2,
            degrees: 300,
        };
        let refused = domain::Error::detailed(ErrorCode::Conflict, "It is hot.", &oven);
        let body = ApiError::from(refused).body("r-1");
        let text = serde_json::to_string(&body).unwrap();
        let rest = r#""status":409,"code":"conflict","requestId":"r-1""#;
        let told = r#""oven":{"plates":2,"degrees":300}"#;
        assert_eq!(text, format!(r#"{{"error":"It is hot.",{rest},{told}}}"#));
        // Programs that know no such field read the rest.
        let read: ErrorBody = serde_json::from_str(&text).unwrap();
        assert_eq!((read.code, read.details), (ErrorCode::Conflict, None));
    }

    #[test]
    fn faults_of_the_server_say_nothing_of_the_inside() {
        let error = ApiError::internal(anyhow::anyhow!("relation \"guests\" does not exist"));
        let body = serde_json::to_string(&error.body("r-1")).unwrap();
        assert!(!body.contains("guests"), "{body}");
        assert!(format!("{error:?}").contains("guests"));
    }

    #[test]
    fn headers_that_come_with_a_code() {
        let headers = |error: ApiError| {
            let answer = error.render("r-1");
            let of = |name| {
                answer
                    .headers()
                    .get(name)
                    .map(|value| value.to_str().unwrap().to_owned())
            };
            (of(header::RETRY_AFTER), of(header::WWW_AUTHENTICATE))
        };
        let away = || ApiError::unavailable(anyhow::anyhow!("no connection"));
        assert_eq!(headers(away()), (Some("1".into()), None));
        assert_eq!(headers(away().retry_after(7)), (Some("7".into()), None));
        assert_eq!(headers(ApiError::not_found()), (None, None));
        assert_eq!(
            headers(ApiError::of_status(StatusCode::UNAUTHORIZED)),
            (None, Some("Bearer".into()))
        );
    }

    #[test]
    fn every_status_of_the_framework_becomes_an_error_of_its_kind() {
        for number in 400..600 {
            let given = StatusCode::from_u16(number).unwrap();
            let ours = ApiError::of_status(given).status_code();
            assert_eq!(ours.is_client_error(), given.is_client_error(), "{given}");
        }
    }
}

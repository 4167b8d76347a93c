//! `GET /realtime/events`: following a restaurant by server-sent events.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::admission::{self, Follow};
use super::session::Ready;
use super::socket_tickets::Use;
use super::transport::EventStream;
use crate::access::auth;
use crate::platform::errors::ApiError;
use crate::platform::extract::Query;
use crate::platform::middleware::client_ip;
use crate::state::AppState;

/// Follows a restaurant by server-sent events: the same frames as on the socket, one per message.
///
/// `id:` is `<epoch>:<seq>`, and `Last-Event-ID` resumes; it wins over `since`. A ticket is good
/// for as long as the access token with which it was bought. The last frame is `closing`, which
/// says why the stream ends.
#[utoipa::path(
    get, path = "/api/v1/realtime/events", tag = "live",
    params(
        Follow,
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last message: `<epoch>:<seq>`.")
    ),
    responses((status = 200, description = "The stream begins.", body = String, content_type = "text/event-stream"))
)]
pub async fn stream(
    state: Data<AppState>,
    request: HttpRequest,
    Query(follow): Query<Follow>,
) -> Result<HttpResponse, ApiError> {
    let token = auth::bearer(request.headers());
    let listener = admission::listener(&state, token, &follow, Use::Stream).await?;
    let join = follow.join(&request, &listener)?;
    let (response, transport) = EventStream::open(state.config.live.send_timeout);
    let address = client_ip(request.head(), &state.config.http.trusted_proxies);
    let session = Ready::new(state.into_inner(), join, listener.member(), address).await?;
    session.run(transport);
    Ok(response)
}

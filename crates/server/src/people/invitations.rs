//! Invitations: made, confirmed and taken back by a restaurant, accepted by whoever has the link.

use std::cell::Cell;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::{RequestId, Tx};
use domain::people::sessions;
use domain::people::sessions::NewSession;
use domain::people::{accounts, invitations};
use wire::paging::PageQuery;
use wire::people::auth::Tokens;
use wire::people::invitations::{
    AcceptInvitation, ConfirmInvitation, Invitation, InvitationFace, InvitationSecret, Invite,
};
use wire::{ErrorBody, InvitationId, RestaurantId, UserId};

use super::auth::{LoggedIn, device_name, lifetime};
use crate::access::auth;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, OptionalJson, Path, Query};
use crate::platform::middleware::Context;
use crate::platform::reply;
use crate::platform::reply::SHOWN_ONCE;
use crate::state::AppState;

/// Invites somebody. The answer has the link, this once; it does not depend on whether the address
/// has an account.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/users", tag = "users", operation_id = "invite",
    params(("rid" = RestaurantId, Path)), request_body = Invite,
    responses((status = 201, body = Invitation))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<Invite>,
) -> Result<HttpResponse, ApiError> {
    let answer = |invitation: &Invitation| {
        let place = format!("/restaurants/{rid}/invitations/{}", invitation.id);
        reply::made_at(&place, invitation)
    };
    state
        .post_once_shown(
            "invitations.create",
            &caller.scope(rid),
            async |tx| invitations::create(tx, &input).await,
            |made| {
                answer(&Invitation {
                    link: Some(state.config.http.public_url.to("i", &made.secret)),
                    ..made.invitation.clone()
                })
            },
            |made| {
                answer(&Invitation {
                    link_notice: Some(SHOWN_ONCE.to_owned()),
                    ..made.invitation.clone()
                })
            },
        )
        .await
}

/// The invitations, the latest first; those that have come to their end are shown for a week more.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/invitations", tag = "invitations",
    params(("rid" = RestaurantId, Path), PageQuery),
    responses((status = 200, body = Vec<Invitation>))
)]
pub async fn list(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let found = state
        .read("invitations.list", async |conn| {
            invitations::list(conn, now, rid, page.limit, page.cursor.as_deref()).await
        })
        .await?;
    Ok(reply::page(&request, &found))
}

/// One invitation.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/invitations/{iid}", tag = "invitations",
    params(("rid" = RestaurantId, Path), ("iid" = InvitationId, Path)),
    responses((status = 200, body = Invitation))
)]
pub async fn get(
    state: Data<AppState>,
    Path((rid, id)): Path<(RestaurantId, InvitationId)>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let found = state
        .read("invitations.get", async |conn| {
            invitations::get(conn, now, rid, id).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Takes an invitation back: its link is no good any more.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/invitations/{iid}", tag = "invitations",
    params(("rid" = RestaurantId, Path), ("iid" = InvitationId, Path)),
    responses((status = 204), (status = 409, body = ErrorBody))
)]
pub async fn delete(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, InvitationId)>,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("invitations.withdraw", &caller.scope(rid), async |tx| {
            invitations::withdraw(tx, id).await
        })
        .await?;
    Ok(saved.no_content())
}

/// Makes whoever accepted a member. `userId` says who that is to be.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/invitations/{iid}/confirm", tag = "invitations",
    params(("rid" = RestaurantId, Path), ("iid" = InvitationId, Path)),
    request_body(content = Option<ConfirmInvitation>),
    responses((status = 200, body = Invitation), (status = 409, body = ErrorBody))
)]
pub async fn confirm(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, InvitationId)>,
    OptionalJson(input): OptionalJson<ConfirmInvitation>,
) -> Result<HttpResponse, ApiError> {
    let member = Cell::new(None);
    let answer = state
        .post(
            "invitations.confirm",
            &caller.scope(rid),
            async |tx| invitations::confirm(tx, id, &input).await,
            |saved| {
                member.set(saved.value.accepted_by.as_ref().map(|by| by.user_id));
                reply::done(&saved.value, saved.position())
            },
        )
        .await?;
    if let Some(member) = member.get() {
        state.standings.forget_account(member);
    }
    Ok(answer)
}

/// What the link of an invitation leads to.
#[utoipa::path(
    post, path = "/api/v1/invitations/lookup", tag = "invitations",
    request_body = InvitationSecret,
    responses((status = 200, body = InvitationFace), (status = 404, body = ErrorBody))
)]
pub async fn lookup(
    state: Data<AppState>,
    Json(input): Json<InvitationSecret>,
) -> Result<HttpResponse, ApiError> {
    let face = look(&state, &input.secret).await?;
    Ok(HttpResponse::Ok().json(face))
}

/// What the link of an invitation leads to.
pub(crate) async fn look(state: &AppState, secret: &str) -> Result<InvitationFace, ApiError> {
    let now = state.db.clock().now();
    state
        .read("invitations.look", async |conn| {
            invitations::look(conn, now, secret).await
        })
        .await
}

/// Accepts an invitation. With a credential, for its account: 200. Without one an account is made,
/// under an address of its own, and logged in to no restaurant yet: 201 with its tokens. It is a
/// member once the restaurant has confirmed.
#[utoipa::path(
    post, path = "/api/v1/invitations/accept", tag = "invitations",
    request_body = AcceptInvitation,
    responses(
        (status = 200, body = InvitationFace), (status = 201, body = Tokens),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)
    )
)]
pub async fn accept(
    state: Data<AppState>,
    context: Context,
    request: HttpRequest,
    Json(input): Json<AcceptInvitation>,
) -> Result<HttpResponse, ApiError> {
    if let Some(caller) = auth::optional(&state, &request).await? {
        let (user, session) = (Some(caller.user_id), Some(caller.session_id));
        let mut scope = invitations::scope_of(&input.secret, user, session)?;
        scope.request_id = caller.request_id;
        let saved = state
            .write("invitations.accept", &scope, async |tx| {
                invitations::accept(tx, &input.secret).await
            })
            .await?;
        return Ok(HttpResponse::Ok().json(saved.value));
    }
    let device = device_name(&request, None);
    let open = async |tx: &mut Tx<'_>, user_id| {
        let new = NewSession {
            user_id,
            auth_version: accounts::FIRST_VERSION,
            restaurant_id: None,
            device_name: device.clone(),
        };
        let opened = sessions::open(tx.conn, tx.now, &new, lifetime(&state)).await?;
        Ok(LoggedIn {
            user_id,
            session_id: opened.session_id,
            restaurant_id: None,
            auth_version: new.auth_version,
            refresh_token: opened.refresh_token,
            restaurants: Vec::new(),
        })
    };
    let opened = register(&state, &input, auth::request_id(&request), open).await?;
    opened
        .welcome(&state, &context, &request, StatusCode::CREATED)
        .await
}

/// Makes an account of whoever has the link, accepts for it, and does something with it.
pub(crate) async fn register<T>(
    state: &AppState,
    input: &AcceptInvitation,
    request_id: Option<RequestId>,
    then: impl AsyncFn(&mut Tx<'_>, UserId) -> domain::Result<T>,
) -> Result<T, ApiError> {
    invitations::check_register(input)?;
    // Nobody buys a hash with a secret that is none.
    look(state, &input.secret).await?;
    let mut scope = invitations::scope_of(&input.secret, None, None)?;
    scope.request_id = request_id;
    let password = input.password.clone().unwrap_or_default();
    let hash = state.passwords.hash(password).await?;
    let saved = state
        .write("invitations.register", &scope, async |tx| {
            let user = invitations::register(tx, input, &hash).await?;
            then(tx, user).await
        })
        .await?;
    Ok(saved.value)
}

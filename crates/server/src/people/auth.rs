//! Registration, login, tokens.

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::RequestId;
use domain::people::accounts;
use domain::people::accounts::Account;
use domain::people::sessions;
use domain::people::sessions::NewSession;
use domain::people::users;
use wire::people::auth::{
    ChangePassword, Login, Me, Membership, Refresh, Register, Tokens, UpdateMe,
};
use wire::people::invitations::ResetPassword;
use wire::{ErrorBody, ErrorCode, RestaurantId, SessionId, UserId};

use crate::access::auth::{Caller, request_id};
use crate::access::device::Device;
use crate::config::Registration;
use crate::people::defaults;
use crate::platform::errors::ApiError;
use crate::platform::extract::Json;
use crate::platform::limits::{FullDoor, Guessed};
use crate::platform::middleware::Context;
use crate::state::AppState;

/// Makes a restaurant and its owner, and logs the owner in.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "auth", request_body = Register,
    responses((status = 201, body = Tokens), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn register(
    state: Data<AppState>,
    context: Context,
    request: HttpRequest,
    Json(input): Json<Register>,
) -> Result<HttpResponse, ApiError> {
    if state.config.auth.registration == Registration::Closed {
        let sentence = "Registration is closed here. Ask the administration for an account.";
        return Err(ApiError::new(ErrorCode::RegistrationClosed, sentence));
    }
    accounts::check_register(&input)?;
    let hash = state.passwords.hash(input.password.clone()).await?;
    let device = device_name(&request, None);
    let opened = state
        .db
        .transaction("auth.register", async |conn, now| {
            let made = accounts::register(conn, now, &input, &hash).await?;
            let new = NewSession {
                user_id: made.user_id,
                auth_version: made.auth_version,
                restaurant_id: Some(made.restaurant_id),
                device_name: device.clone(),
            };
            let opened = sessions::open(conn, now, &new, lifetime(&state)).await?;
            let restaurants = accounts::memberships(conn, made.user_id).await?;
            Ok(LoggedIn {
                user_id: made.user_id,
                session_id: opened.session_id,
                restaurant_id: Some(made.restaurant_id),
                auth_version: made.auth_version,
                refresh_token: opened.refresh_token,
                restaurants,
            })
        })
        .await?;
    opened
        .welcome(&state, &context, &request, StatusCode::CREATED)
        .await
}

/// Address and password for tokens. An unknown address and a wrong password are answered alike,
/// and take the same time.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, body = Tokens), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody))
)]
pub async fn login(
    state: Data<AppState>,
    context: Context,
    request: HttpRequest,
    Json(input): Json<Login>,
) -> Result<HttpResponse, ApiError> {
    let password = input.password;
    let account = verified(&state, &context, &request, &input.email, password).await?;
    let asked = input.restaurant_id;
    let device = device_name(&request, input.device_name.as_deref());
    let opened = state
        .db
        .transaction("auth.login", async |conn, now| {
            let restaurants = accounts::memberships(conn, account.user_id).await?;
            let last = accounts::last_used(conn, account.user_id).await?;
            let restaurant_id =
                accounts::choose_restaurant(&restaurants, asked, last, account.is_admin)?;
            let new = NewSession {
                user_id: account.user_id,
                auth_version: account.auth_version,
                restaurant_id,
                device_name: device.clone(),
            };
            let opened = sessions::open(conn, now, &new, lifetime(&state)).await?;
            Ok(LoggedIn {
                user_id: account.user_id,
                session_id: opened.session_id,
                restaurant_id,
                auth_version: account.auth_version,
                refresh_token: opened.refresh_token,
                restaurants,
            })
        })
        .await?;
    opened
        .welcome(&state, &context, &request, StatusCode::OK)
        .await
}

/// The account of an address, once its password was right. An unknown address and a wrong password
/// are refused alike, and take the same time.
pub(crate) async fn verified(
    state: &AppState,
    context: &Context,
    request: &HttpRequest,
    email: &str,
    password: String,
) -> Result<Account, ApiError> {
    let known = Device::of(request);
    if let Some(refusal) = FullDoor::of(request) {
        state
            .limits
            .let_to_the_door(refusal, known.as_ref())
            .await?;
    }
    let account = state
        .read("auth.account", async |conn| {
            accounts::for_login(conn, email).await
        })
        .await?;
    let hash = account
        .as_ref()
        .map(|account| account.password_hash.clone());
    let whose = Guessed::of(account.as_ref().map(|found| found.user_id), email);
    let attempt = state
        .limits
        .guess(&whose, context.client_ip(), known.as_ref())
        .await?;
    let is_admin = account.as_ref().is_some_and(|found| found.is_admin);
    let opens = !state.config.environment.is_production()
        || !defaults::opens_nothing(email, is_admin, &password);
    let is_right = state.passwords.verify(password, hash).await?;
    let Some(account) = account.filter(|_| is_right && opens) else {
        let sentence = "Address and password do not belong together.";
        return Err(ApiError::new(ErrorCode::WrongCredentials, sentence));
    };
    attempt.was_right().await;
    Ok(account)
}

/// A refresh token for a new pair. The token before works for one more minute, because a reply may
/// be lost.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, body = Tokens), (status = 401, body = ErrorBody))
)]
pub async fn refresh(
    state: Data<AppState>,
    request: HttpRequest,
    Json(input): Json<Refresh>,
) -> Result<HttpResponse, ApiError> {
    if let Some(refusal) = FullDoor::of(&request) {
        let session = sessions::session_of(&input.refresh_token);
        state.limits.let_refresh(refusal, session).await?;
    }
    let refreshed = state
        .db
        .transaction("auth.refresh", async |conn, now| {
            // Also what is refused is committed: a token that was used twice ends its family.
            let rotated =
                match sessions::refresh(conn, now, &input.refresh_token, lifetime(&state)).await? {
                    sessions::Refreshed::Rotated(rotated) => rotated,
                    sessions::Refreshed::Refused => return Ok(Err(None)),
                    sessions::Refreshed::Reused(session) => return Ok(Err(Some(session))),
                };
            Ok(Ok(LoggedIn {
                user_id: rotated.user_id,
                session_id: rotated.session_id,
                restaurant_id: rotated.restaurant_id,
                auth_version: rotated.auth_version,
                refresh_token: rotated.refresh_token,
                restaurants: accounts::memberships(conn, rotated.user_id).await?,
            }))
        })
        .await?;
    let logged_in = refreshed.map_err(|signed_out| {
        if let Some(session) = signed_out {
            state.standings.forget_device(session);
        }
        ApiError::new(ErrorCode::RefreshRefused, "Please log in again.")
    })?;
    state.limits.will_refresh(logged_in.session_id).await;
    Ok(HttpResponse::Ok().json(logged_in.tokens(&state)?))
}

/// Signs this device out.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", responses((status = 204)))]
pub async fn logout(state: Data<AppState>, caller: Caller) -> Result<HttpResponse, ApiError> {
    state
        .db
        .transaction("auth.logout", async move |conn, now| {
            sessions::revoke(conn, now, caller.session_id).await
        })
        .await?;
    state.standings.forget_device(caller.session_id);
    Ok(HttpResponse::NoContent().finish())
}

/// Who is calling.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "auth", responses((status = 200, body = Me)))]
pub async fn me(state: Data<AppState>, caller: Caller) -> Result<HttpResponse, ApiError> {
    let me = state
        .read("auth.me", async move |conn| {
            accounts::me(
                conn,
                caller.user_id,
                caller.session_id,
                caller.restaurant_id,
                caller.role,
            )
            .await
        })
        .await?;
    Ok(HttpResponse::Ok().json(me))
}

/// Other names for oneself: the fields that are present.
#[utoipa::path(
    put, path = "/api/v1/auth/me", tag = "auth", operation_id = "rename", request_body = UpdateMe,
    responses((status = 200, body = Me))
)]
pub async fn update_me(
    state: Data<AppState>,
    caller: Caller,
    Json(patch): Json<UpdateMe>,
) -> Result<HttpResponse, ApiError> {
    match caller.restaurant_id.filter(|_| caller.role.is_some()) {
        Some(rid) => {
            state
                .write("users.rename", &caller.scope(rid), async |tx| {
                    users::rename(tx, &patch).await
                })
                .await?;
        }
        None => {
            state
                .db
                .transaction("auth.rename", async |conn, now| {
                    accounts::rename(conn, now, caller.user_id, &patch).await
                })
                .await?;
        }
    }
    me(state, caller).await
}

/// A new password, by a link that a restaurant made for one who has forgotten it. Signs all devices
/// out.
#[utoipa::path(
    post, path = "/api/v1/auth/password/reset", tag = "auth", request_body = ResetPassword,
    responses((status = 204), (status = 404, body = ErrorBody))
)]
pub async fn reset_password(
    state: Data<AppState>,
    request: HttpRequest,
    Json(input): Json<ResetPassword>,
) -> Result<HttpResponse, ApiError> {
    accounts::check_new_password("newPassword", &input.new_password)?;
    reset(&state, &input, request_id(&request)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What the link leads to.
pub(crate) async fn look_at_reset(
    state: &AppState,
    secret: &str,
) -> Result<users::ResetFace, ApiError> {
    let now = state.db.clock().now();
    state
        .read("users.look_at_reset", async |conn| {
            users::look_at_reset(conn, now, secret).await
        })
        .await
}

/// Sets a password that is known to be acceptable.
pub(crate) async fn reset(
    state: &AppState,
    input: &ResetPassword,
    request_id: Option<RequestId>,
) -> Result<(), ApiError> {
    // Nobody buys a hash with a secret that is none.
    look_at_reset(state, &input.secret).await?;
    let mut scope = users::reset_scope(&input.secret)?;
    scope.request_id = request_id;
    let hash = state.passwords.hash(input.new_password.clone()).await?;
    let saved = state
        .write("users.reset_password", &scope, async |tx| {
            users::reset_password(tx, &input.secret, &hash).await
        })
        .await?;
    state.standings.forget_account(saved.value);
    Ok(())
}

/// A new password for oneself. Signs the other devices out; this one refreshes its token.
#[utoipa::path(
    put, path = "/api/v1/auth/password", tag = "auth", request_body = ChangePassword,
    responses((status = 204), (status = 401, body = ErrorBody))
)]
pub async fn change_password(
    state: Data<AppState>,
    caller: Caller,
    context: Context,
    request: HttpRequest,
    Json(input): Json<ChangePassword>,
) -> Result<HttpResponse, ApiError> {
    accounts::check_new_password("newPassword", &input.new_password)?;
    let known = state
        .read("auth.password_hash", async move |conn| {
            accounts::password_hash_of(conn, caller.user_id).await
        })
        .await?;
    let attempt = state
        .limits
        .guess_on(caller.user_id, caller.session_id)
        .await?;
    if !state
        .passwords
        .verify(input.current_password, Some(known.clone()))
        .await?
    {
        let sentence = "The present password is another.";
        return Err(ApiError::new(ErrorCode::WrongCredentials, sentence));
    }
    attempt.was_right().await;
    let hash = state.passwords.hash(input.new_password).await?;
    state
        .db
        .transaction("auth.change_password", async |conn, now| {
            let (user, device) = (caller.user_id, caller.session_id);
            accounts::change_password(conn, now, user, device, &known, &hash).await
        })
        .await?;
    state.standings.forget_account(caller.user_id);
    let device = Device::of(&request);
    state
        .limits
        .met(caller.user_id, context.client_ip(), device.as_ref())
        .await;
    Ok(HttpResponse::NoContent().finish())
}

/// Somebody who has just logged in.
pub(crate) struct LoggedIn {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) restaurant_id: Option<RestaurantId>,
    pub(super) auth_version: i32,
    pub(super) refresh_token: String,
    pub(super) restaurants: Vec<Membership>,
}

impl LoggedIn {
    /// The tokens, for somebody whose address and device are known from now on.
    pub(super) async fn welcome(
        self,
        state: &AppState,
        context: &Context,
        request: &HttpRequest,
        status: StatusCode,
    ) -> Result<HttpResponse, ApiError> {
        let device = Device::of_or_new(request);
        let (user, address) = (self.user_id, context.client_ip());
        state.limits.met(user, address, Some(&device)).await;
        state.limits.will_refresh(self.session_id).await;
        let mut answer = HttpResponse::build(status);
        if let Some(cookie) = device.cookie() {
            answer.insert_header(cookie);
        }
        Ok(answer.json(self.tokens(state)?))
    }

    fn tokens(self, state: &AppState) -> Result<Tokens, ApiError> {
        let now = state.db.clock().now();
        Ok(Tokens {
            access_token: state.tokens.issue(
                self.user_id,
                self.session_id,
                self.restaurant_id,
                self.auth_version,
                now,
            )?,
            token_type: "bearer".to_owned(),
            expires_in: state.tokens.lifetime_seconds(),
            refresh_token: self.refresh_token,
            restaurant_id: self.restaurant_id,
            user_id: self.user_id,
            restaurants: self.restaurants,
        })
    }
}

/// What to call the device: what it says, or its user agent.
pub(super) fn device_name(request: &HttpRequest, said: Option<&str>) -> Option<String> {
    let agent = || request.headers().get(header::USER_AGENT)?.to_str().ok();
    let name = said.or_else(agent)?;
    Some(name.chars().filter(|c| !c.is_control()).take(100).collect())
}

/// How long a device stays logged in without being used.
pub(super) fn lifetime(state: &AppState) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(state.config.auth.refresh_token).unwrap_or(chrono::TimeDelta::MAX)
}

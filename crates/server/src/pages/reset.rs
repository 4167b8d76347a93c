//! The page of a link for a new password.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::people::accounts;
use domain::people::users::ResetFace;
use maud::{Markup, html};
use serde::Deserialize;
use wire::people::invitations::ResetPassword;

use super::{complaint, input, page, see_other};
use crate::access::auth::request_id;
use crate::people::auth::{look_at_reset, reset};
use crate::platform::errors::ApiError;
use crate::platform::extract::{Form, Path};
use crate::state::AppState;

/// What was typed.
#[derive(Deserialize)]
pub struct NewPassword {
    password: String,
}

/// Whose password it is, and a form for another.
pub async fn show(
    state: Data<AppState>,
    Path(secret): Path<String>,
) -> Result<HttpResponse, ApiError> {
    let face = look_at_reset(&state, &secret).await?;
    Ok(shown(&face, None))
}

/// Sets the password. The link is used up by it, so what follows is another page.
pub async fn set(
    state: Data<AppState>,
    request: HttpRequest,
    Path(secret): Path<String>,
    Form(answer): Form<NewPassword>,
) -> Result<HttpResponse, ApiError> {
    let face = look_at_reset(&state, &secret).await?;
    let is_good = accounts::check_new_password("password", &answer.password);
    if let Some(complaint) = is_good.err().and_then(|error| complaint(&error.into())) {
        return Ok(shown(&face, Some(complaint)));
    }
    let input = ResetPassword {
        secret,
        new_password: answer.password,
    };
    reset(&state, &input, request_id(&request)).await?;
    Ok(see_other("/r/done"))
}

/// What follows.
pub async fn done() -> HttpResponse {
    let content = html! {
        p { "All devices of the account were signed out. Log in with the new password." }
    };
    page(StatusCode::OK, "The password is set", &content)
}

fn shown(face: &ResetFace, complaint: Option<(StatusCode, Markup)>) -> HttpResponse {
    let (status, complaint) = complaint.unwrap_or((StatusCode::OK, html! {}));
    let content = html! {
        p { (face.restaurant_name) " made this link for " strong { (face.email) }
            ", who has forgotten the password. All devices will be signed out." }
        (complaint)
        form method="post" {
            // For programs that keep passwords.
            input type="hidden" name="username" autocomplete="username" value=(face.email);
            (input("password", "password", "password", "new-password", ""))
            p.small { "The password has at least 8 characters." }
            button type="submit" { "Set the password" }
        }
    };
    page(status, "A new password", &content)
}

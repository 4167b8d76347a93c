//! The page of an invitation.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::people::invitations;
use maud::{Markup, html};
use serde::Deserialize;
use wire::Role;
use wire::people::invitations::{AcceptInvitation, InvitationFace, InvitationStatus};

use super::{complaint, input, page, see_other};
use crate::access::auth::request_id;
use crate::people::auth::verified;
use crate::people::invitations::{look, register};
use crate::platform::errors::ApiError;
use crate::platform::extract::{Form, Path};
use crate::platform::middleware::Context;
use crate::state::AppState;

/// What was typed.
#[derive(Deserialize)]
pub struct Answer {
    account: Account,
    email: String,
    password: String,
    #[serde(default, rename = "firstName")]
    first_name: String,
    #[serde(default, rename = "lastName")]
    last_name: String,
}

/// With which account somebody accepts.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Account {
    New,
    Mine,
}

/// What one is invited to, and two forms to accept with.
pub async fn show(
    state: Data<AppState>,
    Path(secret): Path<String>,
) -> Result<HttpResponse, ApiError> {
    let face = look(&state, &secret).await?;
    Ok(shown(&face, None, None))
}

/// Accepts, with a new account or with one that is there.
pub async fn accept(
    state: Data<AppState>,
    context: Context,
    request: HttpRequest,
    Path(secret): Path<String>,
    Form(answer): Form<Answer>,
) -> Result<HttpResponse, ApiError> {
    let face = look(&state, &secret).await?;
    let done = match answer.account {
        Account::New => with_new(&state, &request, &secret, &answer).await,
        Account::Mine => with_mine(&state, &context, &request, &secret, &answer).await,
    };
    match done {
        Ok(()) => Ok(see_other(&format!("/i/{secret}"))),
        Err(error) => match complaint(&error) {
            Some(complaint) => Ok(shown(&face, Some(&answer), Some(complaint))),
            None => Err(error),
        },
    }
}

async fn with_new(
    state: &AppState,
    request: &HttpRequest,
    secret: &str,
    answer: &Answer,
) -> Result<(), ApiError> {
    let input = AcceptInvitation {
        secret: secret.to_owned(),
        email: Some(answer.email.clone()),
        password: Some(answer.password.clone()),
        first_name: answer.first_name.clone(),
        last_name: answer.last_name.clone(),
    };
    // Nothing here is logged in: that is done where one works.
    register(state, &input, request_id(request), async |_, _| Ok(())).await
}

async fn with_mine(
    state: &AppState,
    context: &Context,
    request: &HttpRequest,
    secret: &str,
    answer: &Answer,
) -> Result<(), ApiError> {
    let password = answer.password.clone();
    let account = verified(state, context, request, &answer.email, password).await?;
    let mut scope = invitations::scope_of(secret, Some(account.user_id), None)?;
    scope.request_id = request_id(request);
    state
        .write("invitations.accept", &scope, async |tx| {
            invitations::accept(tx, secret).await
        })
        .await?;
    Ok(())
}

fn shown(
    face: &InvitationFace,
    typed: Option<&Answer>,
    complaint: Option<(StatusCode, Markup)>,
) -> HttpResponse {
    let house = &face.restaurant_name;
    let (status, complaint) = complaint.unwrap_or((StatusCode::OK, html! {}));
    match face.status {
        InvitationStatus::Confirmed => {
            let content = html! {
                (complaint)
                p { "This invitation was accepted and confirmed: log in, and you are in." }
            };
            page(status, &format!("Welcome to {house}"), &content)
        }
        InvitationStatus::Accepted => {
            let content = html! {
                (complaint)
                p { "The invitation is accepted. Now " (house) " looks at who accepted, and confirms." }
                p { "After that, log in: you will find " (house) " there." }
            };
            page(status, &format!("{house} will confirm"), &content)
        }
        _ => {
            let content = html! {
                p { (house) " invites you to be " strong { (called(face.role)) } "." }
                p { "Accept with an account that you have, or make one. " (house)
                    " will see its name and address, and confirm." }
                (complaint)
                (new_form(typed.filter(|typed| typed.account == Account::New)))
                (own_form(typed.filter(|typed| typed.account == Account::Mine)))
            };
            page(status, &format!("Join {house}"), &content)
        }
    }
}

fn new_form(typed: Option<&Answer>) -> Markup {
    let of = |field: fn(&Answer) -> &String| typed.map_or("", |typed| field(typed).as_str());
    html! {
        section aria-labelledby="new" {
            h2 id="new" { "I am new here" }
            form method="post" {
                input type="hidden" name="account" value="new";
                (input("first", "firstName", "text", "given-name", of(|typed| &typed.first_name)))
                (input("last", "lastName", "text", "family-name", of(|typed| &typed.last_name)))
                (input("email", "email", "email", "username", of(|typed| &typed.email)))
                (input("password", "password", "password", "new-password", ""))
                p.small { "The password has at least 8 characters." }
                button type="submit" { "Make an account and accept" }
            }
        }
    }
}

fn own_form(typed: Option<&Answer>) -> Markup {
    let email = typed.map_or("", |typed| typed.email.as_str());
    html! {
        section aria-labelledby="mine" {
            h2 id="mine" { "I have an account" }
            form method="post" {
                input type="hidden" name="account" value="mine";
                (input("own-email", "email", "email", "username", email))
                (input("own-password", "password", "password", "current-password", ""))
                button type="submit" { "Accept" }
            }
        }
    }
}

const fn called(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Manager => "a manager",
        Role::Staff | Role::Admin => "a member of staff",
    }
}

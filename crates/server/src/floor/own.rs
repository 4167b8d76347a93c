//! Parties and bookings, as whoever has their link sees them and what they may do: the answers, and
//! the page under the link.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::PgConnection;
use domain::floor::{guests, reservations};
use domain::holders::Holder;
use domain::log;
use domain::venue::restaurants;
use maud::{Markup, html};
use serde::Serialize;
use wire::floor::guests::{GuestStatus, OwnGuest};
use wire::floor::reservations::{OwnReservation, ReservationStatus};
use wire::live::subjects::FollowLink;
use wire::rooms::RootKind;
use wire::{ErrorBody, GuestId, Position, ReservationId, RestaurantId, RootId};

use crate::access::auth::{self, Caller};
use crate::access::holders::{self, Holding};
use crate::pages;
use crate::platform::errors::ApiError;
use crate::platform::extract::Path;
use crate::platform::reply;
use crate::platform::reply::{SHOWN_ONCE, Saved};
use crate::state::AppState;

/// Makes a link by which a party is followed without an account: its place on the list, and when its
/// table is ready. An earlier link ends, and with it whoever follows by it.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/guests/{gid}/link", tag = "guests",
    operation_id = "guest_link",
    params(("rid" = RestaurantId, Path), ("gid" = GuestId, Path)),
    responses((status = 201, body = FollowLink), (status = 409, body = ErrorBody))
)]
pub async fn guest_link(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, gid)): Path<(RestaurantId, GuestId)>,
) -> Result<HttpResponse, ApiError> {
    state
        .post_once_shown(
            "guests.link",
            &caller.scope(rid),
            async |tx| guests::make_link(tx, gid).await,
            |secret| link(&state, secret),
            |_| shown_once(),
        )
        .await
}

/// Makes a link by which a booking is followed without an account, and the party that it becomes. An
/// earlier link ends, and with it whoever follows by it.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/reservations/{id}/link", tag = "reservations",
    operation_id = "reservation_link",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path)),
    responses((status = 201, body = FollowLink), (status = 409, body = ErrorBody))
)]
pub async fn reservation_link(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, ReservationId)>,
) -> Result<HttpResponse, ApiError> {
    state
        .post_once_shown(
            "reservations.link",
            &caller.scope(rid),
            async |tx| reservations::make_link(tx, id).await,
            |secret| link(&state, secret),
            |_| shown_once(),
        )
        .await
}

fn link(state: &AppState, secret: &str) -> HttpResponse {
    HttpResponse::Created().json(FollowLink {
        link: Some(state.config.http.public_url.to("w", secret)),
        link_notice: None,
    })
}

fn shown_once() -> HttpResponse {
    HttpResponse::Created().json(FollowLink {
        link: None,
        link_notice: Some(SHOWN_ONCE.to_owned()),
    })
}

/// The party of a link.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/guests/{gid}/own", tag = "guests",
    operation_id = "own_guest",
    params(("rid" = RestaurantId, Path), ("gid" = GuestId, Path)),
    responses((status = 200, body = OwnGuest))
)]
pub async fn guest(state: Data<AppState>, held: Holding) -> Result<HttpResponse, ApiError> {
    let (party, at) = party(&state, held.holder).await?;
    Ok(reply::done(&party, Some(at)))
}

/// The booking of a link.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/reservations/{id}/own", tag = "reservations",
    operation_id = "own_reservation",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path)),
    responses((status = 200, body = OwnReservation))
)]
pub async fn reservation(state: Data<AppState>, held: Holding) -> Result<HttpResponse, ApiError> {
    let (booking, at) = booking(&state, held.holder).await?;
    Ok(reply::done(&booking, Some(at)))
}

/// The party of a link leaves the waiting list; again, it changes nothing.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/guests/{gid}/own", tag = "guests",
    operation_id = "cancel_own_guest",
    params(("rid" = RestaurantId, Path), ("gid" = GuestId, Path)),
    responses((status = 200, body = OwnGuest), (status = 409, body = ErrorBody))
)]
pub async fn cancel_guest(state: Data<AppState>, held: Holding) -> Result<HttpResponse, ApiError> {
    let saved = leave(&state, held).await?;
    Ok(reply::done(&saved.value, saved.position()))
}

/// The booking of a link is called off; again, it changes nothing.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/reservations/{id}/own", tag = "reservations",
    operation_id = "cancel_own_reservation",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path)),
    responses((status = 200, body = OwnReservation), (status = 409, body = ErrorBody))
)]
pub async fn cancel_reservation(
    state: Data<AppState>,
    held: Holding,
) -> Result<HttpResponse, ApiError> {
    let saved = call_off(&state, held).await?;
    Ok(reply::done(&saved.value, saved.position()))
}

async fn leave(state: &AppState, held: Holding) -> Result<Saved<OwnGuest>, ApiError> {
    let id = GuestId(of_kind(held.holder, RootKind::Guest)?.0);
    state
        .write("guests.cancel_own", &held.scope(), async move |tx| {
            guests::cancel_own(tx, id).await
        })
        .await
}

async fn call_off(state: &AppState, held: Holding) -> Result<Saved<OwnReservation>, ApiError> {
    let id = ReservationId(of_kind(held.holder, RootKind::Reservation)?.0);
    state
        .write("reservations.cancel_own", &held.scope(), async move |tx| {
            reservations::cancel_own(tx, id).await
        })
        .await
}

async fn party(state: &AppState, holder: Holder) -> Result<(OwnGuest, Position), ApiError> {
    let id = GuestId(of_kind(holder, RootKind::Guest)?.0);
    let read =
        async move |conn: &mut PgConnection| guests::get_own(conn, holder.restaurant_id, id).await;
    after_head(state, "guests.own", holder, read).await
}

async fn booking(state: &AppState, holder: Holder) -> Result<(OwnReservation, Position), ApiError> {
    let id = ReservationId(of_kind(holder, RootKind::Reservation)?.0);
    let read = async move |conn: &mut PgConnection| {
        reservations::get_own(conn, holder.restaurant_id, id).await
    };
    after_head(state, "reservations.own", holder, read).await
}

/// What is read, and where the log stood just before: whoever follows from there misses nothing.
async fn after_head<T: Serialize>(
    state: &AppState,
    operation: &'static str,
    holder: Holder,
    read: impl AsyncFn(&mut PgConnection) -> domain::Result<T>,
) -> Result<(T, Position), ApiError> {
    state
        .read(operation, async |conn| {
            let head = log::head(conn, holder.restaurant_id).await?;
            Ok((read(conn).await?, head.position()))
        })
        .await
}

fn of_kind(holder: Holder, kind: RootKind) -> Result<RootId, ApiError> {
    if holder.kind == kind {
        Ok(holder.root)
    } else {
        Err(ApiError::not_found())
    }
}

/// The page of a link: how the party or booking stands. It reads itself again while that may change.
pub async fn show(
    state: Data<AppState>,
    Path(secret): Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = on_page(&state, &secret).await?;
    shown(&state, holder, None).await
}

/// Leaves the list, or calls the booking off.
pub async fn give_up(
    state: Data<AppState>,
    request: HttpRequest,
    Path(secret): Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = on_page(&state, &secret).await?;
    let held = Holding {
        holder,
        request_id: auth::request_id(&request),
    };
    let done = match holder.kind {
        RootKind::Guest => leave(&state, held).await.map(|_| ()),
        RootKind::Reservation => call_off(&state, held).await.map(|_| ()),
    };
    match done {
        Ok(()) => Ok(pages::see_other(&format!("/w/{secret}"))),
        Err(error) => match pages::complaint(&error) {
            Some(complaint) => shown(&state, holder, Some(complaint)).await,
            None => Err(error),
        },
    }
}

/// A page has no credentials that could be wrong: there is such a link, or there is none.
async fn on_page(state: &AppState, secret: &str) -> Result<Holder, ApiError> {
    let found = holders::holder(state, secret).await;
    found.map_err(|error| match error.body("").status {
        401 => ApiError::not_found(),
        _ => error,
    })
}

async fn shown(
    state: &AppState,
    holder: Holder,
    complaint: Option<(StatusCode, Markup)>,
) -> Result<HttpResponse, ApiError> {
    let (status, complaint) = complaint.unwrap_or((StatusCode::OK, html! {}));
    let restaurant = state
        .read("restaurants.get", async |conn| {
            restaurants::get(conn, holder.restaurant_id).await
        })
        .await?;
    let zone = restaurant
        .time_zone
        .parse::<chrono_tz::Tz>()
        .unwrap_or(chrono_tz::UTC);
    let clock = |moment: chrono::DateTime<chrono::Utc>, form: &str| {
        moment.with_timezone(&zone).format(form).to_string()
    };
    let (content, may_change) = match holder.kind {
        RootKind::Guest => {
            let (party, _) = party(state, holder).await?;
            (of_party(&party, &clock), !party.status.is_finished())
        }
        RootKind::Reservation => {
            let (booking, _) = booking(state, holder).await?;
            (of_booking(&booking, &clock), !booking.status.is_finished())
        }
    };
    let content = html! { (complaint) (content) };
    let page = pages::page(status, &restaurant.name, &content);
    Ok(if may_change { pages::again(page) } else { page })
}

type Clock<'c> = dyn Fn(chrono::DateTime<chrono::Utc>, &str) -> String + 'c;

fn of_party(party: &OwnGuest, clock: &Clock<'_>) -> Markup {
    let people = people(party.party_size);
    html! {
        @match party.status {
            GuestStatus::Waiting => {
                @if let Some(place) = party.wait_position {
                    p.large { "You are number " strong { (place) } " on the list." }
                }
                @if let Some(until) = party.quoted_until.filter(|_| !party.over_quote) {
                    p { "We expect a table for " (people) " by " (clock(until, "%H:%M")) "." }
                } @else if party.over_quote {
                    p { "It takes longer than we said. We are sorry: your table is next on our minds." }
                }
                (give_up_form("Leave the list"))
            }
            GuestStatus::Notified => {
                p.large role="status" { strong { "Your table is ready." } " Please come to the door." }
                @if let Some(until) = party.notified_until {
                    p { "We keep it until " (clock(until, "%H:%M")) "." }
                }
                (give_up_form("We do not need it any more"))
            }
            GuestStatus::Seated => p { "You are seated. Enjoy your meal." },
            GuestStatus::Completed => p { "Thank you for your visit." },
            GuestStatus::Cancelled => p { "You are not on the list any more." },
            GuestStatus::NoShow => p { "We called and did not find you. Please speak to the staff." },
        }
    }
}

fn of_booking(booking: &OwnReservation, clock: &Clock<'_>) -> Markup {
    let people = people(booking.party_size);
    html! {
        p.large { "A table for " (people) ", "
            strong { (clock(booking.reservation_time, "%A, %-d %B, %H:%M")) } "." }
        @match booking.status {
            ReservationStatus::Cancelled => p role="status" { "The booking was called off." },
            ReservationStatus::NoShow => p { "The table was kept and nobody came." },
            ReservationStatus::Completed => p { "Thank you for your visit." },
            ReservationStatus::Seated => p { "You are seated. Enjoy your meal." },
            status if status.is_here() => p { "We know that you are here." },
            _ => (give_up_form("Call the booking off")),
        }
    }
}

fn people(count: i32) -> String {
    if count == 1 {
        "one".to_owned()
    } else {
        count.to_string()
    }
}

fn give_up_form(words: &str) -> Markup {
    html! {
        form method="post" { button.quiet type="submit" { (words) } }
    }
}

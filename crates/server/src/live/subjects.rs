//! `GET /realtime/subjects`: what somebody follows who is no member.

use std::future::{Ready, ready};

use actix_web::HttpResponse;
use wire::live::subjects::Subject;

use crate::access::holders::Holding;

/// What is followed with this credential, and where the state of each is read: after
/// `resync_required`, in the place of a snapshot.
#[utoipa::path(
    get, path = "/api/v1/realtime/subjects", tag = "live", operation_id = "subjects",
    responses((status = 200, body = Vec<Subject>))
)]
pub fn list(held: Holding) -> Ready<HttpResponse> {
    let holder = held.holder;
    let things = [(holder.kind, holder.root)]
        .into_iter()
        .chain(holder.leads_to);
    let subjects: Vec<Subject> = things
        .map(|(kind, id)| Subject {
            restaurant_id: holder.restaurant_id,
            kind,
            id,
            href: format!(
                "/api/v1/restaurants/{}/{kind}s/{id}/own",
                holder.restaurant_id
            ),
        })
        .collect();
    ready(HttpResponse::Ok().json(subjects))
}

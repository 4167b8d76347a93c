//! What handlers take from a request, with every refusal in the one envelope.
//!
//! A body or query that cannot be read at all is 400. One that can be read but has a wrong or
//! missing field is 422 and names the field. An id in the path that cannot be read is 404, since
//! nothing can exist under it.
//!
//! All of these run after [`crate::access::auth::authorize`]; see [`crate::platform::routing`].

mod at_least;
mod fields;
mod file;
mod form;
mod if_match;
mod json;
mod nul;
mod path;
mod query;

pub use at_least::AtLeast;
pub use file::{FILE_LIMIT, File, FileKind};
pub use form::Form;
pub use if_match::IfMatch;
pub use json::{BODY_LIMIT, Json, OptionalJson, body, parse, part};
pub use path::Path;
pub use query::Query;

use actix_web::HttpRequest;

use crate::platform::middleware::Context;

/// The largest body that the route of a request takes, in bytes.
fn limit(request: &HttpRequest) -> usize {
    let row = Context::of(request).and_then(|context| context.row());
    row.map_or(BODY_LIMIT, |row| row.body_limit)
}

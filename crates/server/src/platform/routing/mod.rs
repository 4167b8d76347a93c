//! The table of routes: method, path, what is true of each, handler.
//!
//! Every room has its rows (see [`Row`]) and [`crate::routes`] is their sum. Authorization, limits,
//! keys, the size of bodies, the log, OpenAPI and the tests over all routes read the same rows.
//!
//! A table of our own instead of actix's resources, for three reasons:
//! - authorization runs before the first extractor of a handler. Actix polls extractors together,
//!   so a body that cannot be read would beat a missing credential, and 400 would tell a stranger
//!   what 401 should not;
//! - the same table can be listed, and compared with OpenAPI and with the matrix of roles;
//! - actix tries one regular expression after the other: of 53 patterns, the last took 14 µs to
//!   find with the full regex engine and 139 µs with the small one. A tree of path segments does
//!   not care how many routes there are.

mod admit;
mod row;
mod tree;

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{Error, FromRequest, Handler, HttpRequest, HttpResponse, Responder};
use domain::db::serving;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use utoipa::openapi::OpenApi;

use self::admit::{Admitted, admit};
pub(crate) use self::row::{At, route};
pub use self::row::{Kind, Route, Row};
use self::tree::Tree;
use crate::platform::errors::ApiError;
use crate::platform::limits;
use crate::platform::middleware::Context;
use crate::state::AppState;

/// Runs a handler, its extractors included.
type Call = Rc<dyn Fn(ServiceRequest) -> LocalBoxFuture<'static, ServiceResponse>>;

/// Routes: those of a room, or all of a server.
#[derive(Default)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// The routes of a room.
    #[must_use]
    pub fn of(routes: impl IntoIterator<Item = Route>) -> Self {
        Self(routes.into_iter().collect())
    }

    /// Every row for programs, in the order of the table.
    pub fn list(&self) -> impl Iterator<Item = &Row> {
        self.rows().filter(|row| !row.is_page())
    }

    /// Every page.
    pub fn pages(&self) -> impl Iterator<Item = &Row> {
        self.rows().filter(|row| row.is_page())
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.iter().flat_map(|route| &route.rows)
    }

    /// What the handlers for programs say of themselves, each with its rows.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (OpenApi, &[Row])> {
        let documented = self.0.iter();
        documented.filter_map(|route| Some(((route.document?)(), &*route.rows)))
    }

    /// What answers requests: the application's default service.
    ///
    /// ```ignore
    /// App::new().default_service(routes::all().service())
    /// ```
    pub fn service(
        self,
    ) -> impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > {
        let mut tree = Tree::<Leaf>::default();
        for route in self.0 {
            for row in route.rows {
                tree.at(row.path).add(row, &route.call);
            }
        }
        let tree = Rc::new(tree);
        fn_service(move |request| answer(Rc::clone(&tree), request))
    }
}

/// The sum of the rooms.
impl FromIterator<Routes> for Routes {
    fn from_iter<I: IntoIterator<Item = Self>>(rooms: I) -> Self {
        Self(rooms.into_iter().flat_map(|room| room.0).collect())
    }
}

/// What stands at one path.
#[derive(Default)]
struct Leaf {
    targets: Vec<(Method, Rc<Target>)>,
}

struct Target {
    /// The names of the variable parts, in order.
    names: Vec<&'static str>,
    row: Rc<Row>,
    call: Call,
}

impl Leaf {
    fn add(&mut self, row: Row, call: &Call) {
        let method = row.method.clone();
        let target = Target {
            names: tree::names(row.path).collect(),
            row: Rc::new(row),
            call: Rc::clone(call),
        };
        self.targets.push((method, Rc::new(target)));
    }

    /// Whoever answers GET answers HEAD too: the server leaves the body away.
    fn target(&self, method: &Method) -> Option<&Rc<Target>> {
        let of = |wanted: &Method| {
            let found = self.targets.iter().find(|(known, _)| known == wanted);
            found.map(|(_, target)| target)
        };
        of(method).or_else(|| (method == Method::HEAD).then(|| of(&Method::GET)).flatten())
    }

    fn allow(&self) -> String {
        let mut methods: Vec<_> = self
            .targets
            .iter()
            .map(|(method, _)| method.as_str())
            .collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.dedup();
        methods.join(", ")
    }
}

async fn answer(
    tree: Rc<Tree<Leaf>>,
    mut request: ServiceRequest,
) -> Result<ServiceResponse, Error> {
    let target = match find(&tree, &mut request) {
        Ok(target) => target,
        Err(error) => return Ok(request.error_response(error)),
    };
    let state = request.app_data::<Data<AppState>>().cloned();
    let answer = match admit(&target.row, &mut request).await {
        Ok(admitted) => run(&target.call, request, admitted).await,
        Err(error) => request.error_response(error),
    };
    if answer.status() == StatusCode::TOO_MANY_REQUESTS
        && let Some(state) = state
    {
        state.limits.linger().await;
    }
    Ok(answer)
}

async fn run(call: &Call, request: ServiceRequest, admitted: Admitted) -> ServiceResponse {
    let Admitted { left, house, turn } = admitted;
    let answering = call(request);
    let mut answer = match (turn, house) {
        (Some(turn), _) => turn.run(answering).await,
        (None, Some(house)) => serving(house, answering).await,
        (None, None) => answering.await,
    };
    if let Some(left) = left {
        limits::say(&left, answer.headers_mut());
    }
    answer
}

/// Finds who answers, and notes the variable parts of the path and the route.
fn find(tree: &Tree<Leaf>, request: &mut ServiceRequest) -> Result<Rc<Target>, ApiError> {
    let path = match request.match_info().as_str().trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let Some((leaf, values)) = tree.find(path) else {
        return Err(ApiError::not_found());
    };
    let target = leaf.target(request.method());
    // A path that is there has its name in the log, with whatever method it is asked.
    let named = target.or_else(|| leaf.targets.first().map(|(_, target)| target));
    if let (Some(context), Some(named)) = (Context::of(request), named) {
        context.set_row(Rc::clone(&named.row));
        // The link to a page is made here, and has no mount.
        if named.row.is_page() && !context.mount().is_empty() {
            return Err(ApiError::not_found());
        }
    }
    let Some(target) = target.cloned() else {
        return Err(not_allowed(&leaf.allow()));
    };
    let values: Vec<_> = values.into_iter().map(str::to_owned).collect();
    for (name, value) in target.names.iter().zip(values) {
        if *name == "rid"
            && let (Some(context), Ok(id)) = (Context::of(request), value.parse())
        {
            context.set_restaurant(id);
        }
        request.match_info_mut().add_static(*name, value);
    }
    Ok(target)
}

fn not_allowed(allow: &str) -> ApiError {
    let error = ApiError::of_status(StatusCode::METHOD_NOT_ALLOWED);
    match HeaderValue::from_str(allow) {
        Ok(allow) => error.header(header::ALLOW, allow),
        Err(_) => error,
    }
}

/// Forgets the types of a handler. A panic in it is an answer, too: 500, and the worker lives on.
fn erase<F, Args>(handler: F) -> Call
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Rc::new(move |request| {
        let handler = handler.clone();
        Box::pin(async move {
            let (request, mut payload) = request.into_parts();
            let run = async {
                match Args::from_request(&request, &mut payload).await {
                    Ok(args) => handler
                        .call(args)
                        .await
                        .respond_to(&request)
                        .map_into_boxed_body(),
                    Err(error) => HttpResponse::from_error(error),
                }
            };
            let answer = AssertUnwindSafe(run).catch_unwind().await;
            let answer = answer.unwrap_or_else(|_| {
                HttpResponse::from_error(ApiError::internal(anyhow::anyhow!("a handler panicked")))
            });
            let answer = without_stream(&request, answer);
            ServiceResponse::new(request, answer)
        })
    })
}

/// The server would run an endless stream for a HEAD request, and send nothing of it.
fn without_stream(request: &HttpRequest, answer: HttpResponse) -> HttpResponse {
    if request.method() == Method::HEAD && answer.body().size() == BodySize::Stream {
        return answer.set_body(BoxBody::new(()));
    }
    answer
}

#[cfg(test)]
mod tests;

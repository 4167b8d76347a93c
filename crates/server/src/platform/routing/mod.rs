//! The table of routes: method, path, what the caller needs, handler.
//!
//! A table of our own instead of actix's resources, for three reasons:
//! - authorization runs before the first extractor of a handler. Actix polls extractors together,
//!   so a body that cannot be read would beat a missing credential, and 400 would tell a stranger
//!   what 401 should not;
//! - the same table can be listed, and compared with OpenAPI and with the matrix of roles;
//! - actix tries one regular expression after the other: of 53 patterns, the last took 14 µs to
//!   find with the full regex engine and 139 µs with the small one. A tree of path segments does
//!   not care how many routes there are.

mod tree;

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{Error, FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Responder};
use domain::db::serving;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use wire::RestaurantId;

use self::tree::Tree;
use crate::access::auth;
use crate::access::auth::{Caller, Need};
use crate::platform::errors::ApiError;
use crate::platform::idempotency;
use crate::platform::limits;
use crate::platform::limits::{FullDoor, Tier, Verdict};
use crate::platform::middleware::{Context, MOUNTS};
use crate::state::AppState;

/// Runs a handler, its extractors included.
type Call = Rc<dyn Fn(ServiceRequest) -> LocalBoxFuture<'static, ServiceResponse>>;

/// All routes of a server.
#[derive(Default)]
pub struct Routes(Vec<Route>);

struct Route {
    method: Method,
    path: &'static str,
    need: Need,
    marks: Marks,
    call: Call,
}

/// What is true of a route beside what it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Whoever knows the path may do something: it has a `{secret}` in it, and is told nowhere.
    pub has_secret: bool,
    /// It answers people, who come by a link: at the root alone, and with pages.
    pub is_page: bool,
}

macro_rules! methods {
    ($($name:ident = $method:ident),+ $(,)?) => {$(
        #[doc = concat!("Adds a handler for ", stringify!($method), ".")]
        #[must_use]
        pub fn $name<F, Args>(self, path: &'static str, need: Need, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.add(Method::$method, path, need, false, handler)
        }
    )+};
}

impl Routes {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    methods!(
        get = GET,
        post = POST,
        put = PUT,
        patch = PATCH,
        delete = DELETE
    );

    /// Adds a page, which anybody may see who knows the path.
    #[must_use]
    pub fn page<F, Args>(self, method: Method, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(method, path, Need::Public, true, handler)
    }

    /// Every route for programs with what it needs, in the order of the table.
    pub fn list(&self) -> impl Iterator<Item = (&Method, &'static str, Need)> {
        let routes = self.0.iter().filter(|route| !route.marks.is_page);
        routes.map(|route| (&route.method, route.path, route.need))
    }

    /// Every page.
    pub fn pages(&self) -> impl Iterator<Item = (&Method, &'static str)> {
        let pages = self.0.iter().filter(|route| route.marks.is_page);
        pages.map(|page| (&page.method, page.path))
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
            tree.at(route.path).add(&route);
        }
        let tree = Rc::new(tree);
        fn_service(move |request| answer(Rc::clone(&tree), request))
    }

    fn add<F, Args>(
        mut self,
        method: Method,
        path: &'static str,
        need: Need,
        is_page: bool,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.0.push(Route {
            method,
            path,
            need,
            marks: Marks {
                has_secret: tree::names(path).any(|name| name == "secret"),
                is_page,
            },
            call: erase(handler),
        });
        self
    }
}

/// The path as clients and OpenAPI know it: under `/api/v1`, save what operators and load balancers
/// look for at the root.
#[must_use]
pub fn canonical(path: &str) -> String {
    let operations = [
        "/health",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/asyncapi.json",
    ];
    let is_at_root = operations.iter().any(|operation| {
        path.strip_prefix(operation)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if is_at_root {
        path.to_owned()
    } else {
        format!("{}{path}", MOUNTS[0])
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
    canonical: Rc<str>,
    need: Need,
    marks: Marks,
    takes_keys: bool,
    tier: Option<Tier>,
    call: Call,
}

impl Leaf {
    fn add(&mut self, route: &Route) {
        let canonical = if route.marks.is_page {
            route.path.to_owned()
        } else {
            canonical(route.path)
        };
        let target = Target {
            names: tree::names(route.path).collect(),
            tier: limits::tier(&route.method, &canonical),
            canonical: canonical.into(),
            need: route.need,
            marks: route.marks,
            takes_keys: !route.marks.is_page && idempotency::takes_keys(&route.method, route.path),
            call: Rc::clone(&route.call),
        };
        self.targets.push((route.method.clone(), Rc::new(target)));
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
    let left = match admit(&target, &mut request).await {
        Ok(left) => left,
        Err(error) => return Ok(request.error_response(error)),
    };
    let house = house(&target, &request);
    let answering = (target.call)(request);
    let mut answer = match house {
        Some(house) => serving(house, answering).await,
        None => answering.await,
    };
    if let Some(left) = left {
        limits::say(&left, answer.headers_mut());
    }
    Ok(answer)
}

/// For which restaurant a request is answered, once it is known that the caller may: what is read
/// for it is bounded together. Strangers are nobody's.
fn house(target: &Target, request: &ServiceRequest) -> Option<RestaurantId> {
    match target.need {
        Need::Public => None,
        Need::Member(_) | Need::MemberOrSelf(_) => Context::of(request)?.restaurant(),
        Need::Account | Need::Admin => request.extensions().get::<Caller>()?.restaurant_id,
    }
}

/// What comes before the handler, in this order: the limit of the address, who is calling, the
/// limit of the account, the key of a request that may be sent again. Returns how much is left.
async fn admit(target: &Target, request: &mut ServiceRequest) -> Result<Option<Verdict>, ApiError> {
    let mut left = None;
    let state = request.app_data::<Data<AppState>>().cloned();
    let limited = target.tier.zip(state);
    if let Some((tier, state)) = &limited {
        let address = Context::of(request).and_then(|context| context.client_ip());
        left = match state.limits.address(*tier, address).await {
            // Who comes may have an allowance of its own, which shows in the body.
            Err(refusal) if limits::asks_who_comes(&target.canonical) => {
                request.extensions_mut().insert(FullDoor::new(refusal));
                None
            }
            counted => counted?,
        };
    }
    if target.need != Need::Public {
        auth::authorize(request, target.need).await?;
    }
    let caller = request.extensions().get::<Caller>().copied();
    if let (Some((tier, state)), Some(caller)) = (limited, caller) {
        let of_account = state.limits.account(tier, caller.user_id)?;
        left = left.into_iter().chain(of_account).reduce(Verdict::tighter);
    }
    if target.takes_keys {
        idempotency::read(request, &target.canonical).await?;
    } else if target.need == Need::Public && !request.method().is_safe() {
        idempotency::refuse(request.headers())?;
    }
    Ok(left)
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
        context.set_route(Rc::clone(&named.canonical), named.marks);
        // The link to a page is made here, and has no mount.
        if named.marks.is_page && !context.mount().is_empty() {
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

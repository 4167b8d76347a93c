//! A row of the table: what is true of a route, and who answers.
//!
//! Most of it follows from the method, the path and the need. A row says the rest, by a mark:
//!
//! ```ignore
//! route!(auth::login, Public).tier(Tier::Logins).asks_who_comes(),
//! route!(transfer::import, Member(Manager)).file(),
//! ```
//!
//! Method, path and documentation are those of the handler's `#[utoipa::path]` and are written
//! there alone: [`route!`] does not compile for a handler that has none.

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder};
use utoipa::openapi::OpenApi;

use super::{Call, erase, tree};
use crate::access::auth::Need;
use crate::platform::extract::{BODY_LIMIT, FILE_LIMIT};
use crate::platform::limits::Tier;
use crate::platform::middleware::MOUNTS;

/// What is true of a route under one of its methods.
#[derive(Clone, Debug)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// The path as clients and OpenAPI know it: under `/api/v1`, save pages and what operators and
    /// load balancers look for, which are at the root.
    pub canonical: &'static str,
    /// The path as it is found, without its mount.
    pub path: &'static str,
    /// What it needs of its caller.
    pub need: Need,
    /// As what it is counted, if it is.
    pub tier: Option<Tier>,
    /// Whether it takes an `Idempotency-Key`. PUT and DELETE say by themselves what is to be in the
    /// end, so that done twice is done once; for strangers no answer can be kept.
    pub takes_keys: bool,
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// What answers.
    pub kind: Kind,
    /// Whether it lets in who is known although the address has used up what it has: its handler
    /// looks at [`crate::platform::limits::FullDoor`].
    pub asks_who_comes: bool,
    /// Whether it is asked all day, and is no line in the log.
    pub is_quiet: bool,
}

/// What answers at a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One answer, for programs.
    Answer,
    /// A socket or a stream, which stays open.
    Open,
    /// A page for people, who come by a link: at the root alone.
    Page,
}

impl Row {
    /// What follows from method, path and need.
    fn new(method: Method, canonical: &'static str, need: Need) -> Self {
        let below = canonical.strip_prefix(MOUNTS[0]);
        let has_caller = !matches!(need, Need::Public | Need::Follow | Need::Holder);
        Self {
            tier: below.map(|_| by_method(&method)),
            takes_keys: has_caller && matches!(method, Method::POST | Method::PATCH),
            path: below.unwrap_or(canonical),
            method,
            canonical,
            need,
            body_limit: BODY_LIMIT,
            kind: Kind::Answer,
            asks_who_comes: false,
            is_quiet: false,
        }
    }

    /// Whether operators look for it, at the root.
    #[must_use]
    pub fn is_operation(&self) -> bool {
        self.kind != Kind::Page && self.path == self.canonical
    }

    /// Whether it is a page.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.kind == Kind::Page
    }

    /// Whether who knows the path may do something: it has a `{secret}` in it, and is told nowhere.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        tree::names(self.path).any(|name| name == "secret")
    }
}

/// As what a request is counted unless its row says otherwise.
fn by_method(method: &Method) -> Tier {
    if *method == Method::GET {
        Tier::Reads
    } else {
        Tier::Writes
    }
}

/// A handler, with what is true of it under each of its methods.
pub struct Route {
    pub(super) rows: Vec<Row>,
    pub(super) call: Call,
    pub(super) document: Option<fn() -> OpenApi>,
}

impl Route {
    /// A route for programs, as [`route!`] makes it.
    pub(crate) fn documented<F, Args>(
        at: &'static At,
        document: fn() -> OpenApi,
        need: Need,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let methods = at.methods.iter();
        let rows = methods.map(|method| Row::new(method.clone(), &at.path, need));
        Self {
            rows: rows.collect(),
            call: erase(handler),
            document: Some(document),
        }
    }

    /// A page, which anybody may see who knows the path. Nothing is told of it to programs.
    #[must_use]
    pub fn page<F, Args>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let tier = by_method(&method);
        let page = Self::bare(method, path, Need::Public, handler);
        page.with(|row| row.kind = Kind::Page).tier(tier)
    }

    /// A route that nothing is told of.
    pub(crate) fn bare<F, Args>(
        method: Method,
        canonical: &'static str,
        need: Need,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self {
            rows: vec![Row::new(method, canonical, need)],
            call: erase(handler),
            document: None,
        }
    }

    /// It is counted as this, and not by its method.
    #[must_use]
    pub fn tier(self, tier: Tier) -> Self {
        self.with(|row| row.tier = Some(tier))
    }

    /// It is not counted: it costs nothing.
    #[must_use]
    pub fn uncounted(self) -> Self {
        self.with(|row| row.tier = None)
    }

    /// It takes no key: its answers are secrets, or a person's data, which are not to be kept.
    #[must_use]
    pub fn no_key(self) -> Self {
        self.with(|row| row.takes_keys = false)
    }

    /// It takes a file, and not only a body.
    #[must_use]
    pub fn file(self) -> Self {
        self.with(|row| row.body_limit = FILE_LIMIT)
    }

    /// It is a socket or a stream, and is counted as one: strangers open sockets, too.
    #[must_use]
    pub fn stays_open(self) -> Self {
        self.with(|row| row.kind = Kind::Open).tier(Tier::Sockets)
    }

    /// Its handler asks who comes before an address that has used up what it has is refused.
    #[must_use]
    pub fn asks_who_comes(self) -> Self {
        self.with(|row| row.asks_who_comes = true)
    }

    /// Balancers and Prometheus ask it all day.
    #[must_use]
    pub fn quiet(self) -> Self {
        self.with(|row| row.is_quiet = true)
    }

    fn with(mut self, mark: impl Fn(&mut Row)) -> Self {
        self.rows.iter_mut().for_each(mark);
        self
    }
}

/// Where a handler answers, as its `#[utoipa::path]` says.
pub(crate) struct At {
    path: String,
    methods: Vec<Method>,
}

impl At {
    /// Of the document of one handler.
    pub(crate) fn of(document: OpenApi) -> Self {
        let (path, item) = document.paths.paths.into_iter().next().unwrap_or_default();
        let methods = [
            (Method::GET, item.get),
            (Method::POST, item.post),
            (Method::PUT, item.put),
            (Method::PATCH, item.patch),
            (Method::DELETE, item.delete),
        ];
        let methods = methods.into_iter().filter(|(_, it)| it.is_some());
        Self {
            path,
            methods: methods.map(|(method, _)| method).collect(),
        }
    }
}

/// A [`Route`]: handler and need. Where it answers is read from the handler's `#[utoipa::path]`.
macro_rules! route {
    ($($handler:ident)::+, $need:expr) => {{
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($handler)::+))]
        struct Documented;
        static AT: std::sync::LazyLock<$crate::platform::routing::At> = std::sync::LazyLock::new(
            || $crate::platform::routing::At::of(<Documented as utoipa::OpenApi>::openapi()),
        );
        $crate::platform::routing::Route::documented(
            &AT,
            <Documented as utoipa::OpenApi>::openapi,
            $need,
            $($handler)::+,
        )
    }};
}

pub(crate) use route;

//! What listens: an application on each thread, and the way out of HTTP for sockets.

use std::convert::Infallible;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol, Request};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_factory, fn_service,
};
use actix_web::App;
use actix_web::dev::{AppConfig, Server};
use actix_web::web::Data;
use domain::db::{Db, Home};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use super::guarded::Guarded;
use super::upgrade;
use crate::config::SocketTransport;
use crate::describe::openapi;
use crate::platform::middleware;
use crate::platform::middleware::Platform;
use crate::routes::routes;
use crate::seen::metrics::MetricsPage;
use crate::state::AppState;

/// How long the kernel keeps what a peer does not acknowledge before it gives the connection up.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Serves the application. `last_requests` is how long requests that are under way have to finish
/// when the server is stopped.
///
/// This is what `HttpServer` of actix-web builds, which has no way to take a connection out of
/// HTTP.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) fn serve(
    state: &Arc<AppState>,
    listener: TcpListener,
    last_requests: Duration,
) -> std::io::Result<Server> {
    let data = Data::from(Arc::clone(state));
    let metrics = Arc::clone(&state.metrics);
    let page = Data::new(MetricsPage::on_main(&state.config, Arc::clone(&metrics)));
    let platform = Data::new(Platform::new(&state.config, Arc::clone(&metrics)));
    let transport = state.config.live.transport;
    let address = listener.local_addr()?;

    let builder = ServerBuilder::default()
        .workers(state.config.http.threads)
        .shutdown_timeout(last_requests.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let server = builder.listen("qtable", listener, move || {
        let app = App::new()
            .app_data(data.clone())
            .app_data(settled(&data.db))
            .app_data(page.clone())
            .configure(openapi::ui)
            .default_service(routes().service());
        let app = shared(middleware::around(app, platform.clone()));
        let upgrade = fn_factory({
            let app = Rc::clone(&app);
            move || {
                let app = Rc::clone(&app);
                async move {
                    let app = app.service().await?;
                    Ok::<_, ()>(fn_service(move |(request, framed)| {
                        let app = Rc::clone(&app);
                        async move {
                            upgrade::answer(app, request, framed).await;
                            Ok::<_, Infallible>(())
                        }
                    }))
                }
            }
        });
        let stopping = stopping.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(Duration::from_secs(75))
            .client_request_timeout(Duration::from_secs(15))
            .client_disconnect_timeout(Duration::from_secs(1))
            // Who hangs up while a stream is being sent is gone, and does not only have nothing to
            // say.
            .h1_allow_half_closed(false)
            .local_addr(address)
            .on_connect_ext(|guarded: &Guarded, _| {
                if let Some(stream) = guarded.stream() {
                    keep_alive(stream);
                }
            })
            .finish(fn_factory(move || {
                let app = Rc::clone(&app);
                async move { app.service().await }
            }))
            .upgrade((transport == SocketTransport::Bare).then_some(upgrade));
        let counted = Arc::clone(&metrics);
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            let stream = Guarded::new(stream, Arc::clone(&counted));
            async move { Ok::<_, DispatchError>((stream, Protocol::Http1, peer)) }
        })
        .and_then(http)
        .map_err(ended)
    })?;
    Ok(server.run())
}

/// How a connection ended that did not end well: mostly because what came was no HTTP, or because
/// the peer was gone. The library calls each of them an error, which the log does not
/// ([`crate::seen::logs`]).
fn ended(error: DispatchError) -> DispatchError {
    match &error {
        DispatchError::Service(_) | DispatchError::Body(_) | DispatchError::InternalError => {
            tracing::warn!(%error, "a connection was given up");
        }
        _ => tracing::debug!(%error, "a connection ended early"),
    }
    error
}

/// Says that the thread which this runs on answers requests, and gives it connections.
fn settled(db: &Db) -> Option<Arc<Home>> {
    let settled = db.settle().inspect_err(|error| {
        tracing::warn!(%error, "a thread has no connections of its own");
    });
    settled.ok()
}

/// An application of which ordinary requests and upgrades use the same instance.
struct Shared<F: ServiceFactory<Request>> {
    factory: F,
    service: OnceCell<Rc<F::Service>>,
}

fn shared<F: ServiceFactory<Request>>(app: impl IntoServiceFactory<F, Request>) -> Rc<Shared<F>> {
    Rc::new(Shared {
        factory: app.into_factory(),
        service: OnceCell::new(),
    })
}

impl<F: ServiceFactory<Request, Config = AppConfig>> Shared<F> {
    async fn service(&self) -> Result<Rc<F::Service>, F::InitError> {
        // Where it listens and what it is called is only asked by those who write links.
        let make = || async {
            let service = self.factory.new_service(AppConfig::default()).await?;
            Ok(Rc::new(service))
        };
        self.service.get_or_try_init(make).await.cloned()
    }
}

/// Lets the kernel find dead peers: nothing of ours runs while a peer does not read.
fn keep_alive(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new()
        .with_time(UNACKNOWLEDGED)
        .with_interval(Duration::from_secs(10));
    let mut set = socket
        .set_tcp_keepalive(&probes)
        .and(socket.set_tcp_nodelay(true));
    #[cfg(target_os = "linux")]
    {
        set = set.and(socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED)));
    }
    if let Err(error) = set {
        tracing::debug!(%error, "the connection's time limits could not be set");
    }
}

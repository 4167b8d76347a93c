//! What happens around every request: its id, its mount, the log line, the metrics, the envelope
//! of errors, security headers, cross-origin rules, compression.
//!
//! One function wraps an application in all of it: [`around`]. The parts are plain functions, so
//! that a connection which leaves HTTP (a socket) can use them too.

mod client;
mod compress;
mod context;
mod head;
mod mount;
mod security;

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};

use crate::config::{Config, CorsOrigins, TrustedProxies};
use crate::seen::metrics::Metrics;

pub use client::{Network, client_ip, network};
pub use context::Context;
pub use mount::MOUNTS;
pub(crate) use security::protect;

/// What the layer around the handlers needs to know.
pub struct Platform {
    /// Whether this is the real thing.
    pub is_production: bool,
    /// Whose forwarded headers are believed.
    pub proxies: TrustedProxies,
    /// Which web pages may call.
    pub cors: CorsOrigins,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
}

impl Platform {
    /// From the configuration.
    #[must_use]
    pub fn new(config: &Config, metrics: Arc<Metrics>) -> Self {
        Self {
            is_production: config.environment.is_production(),
            proxies: config.http.trusted_proxies.clone(),
            cors: config.http.cors.clone(),
            metrics,
        }
    }
}

/// Puts everything around an application. To be called last, so that it is outermost.
pub fn around<T, B>(
    app: App<T>,
    platform: web::Data<Platform>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let cors = security::cors(&platform.cors);
    app.app_data(platform)
        .wrap(cors)
        .wrap(from_fn(context::handle))
}

#[cfg(test)]
mod tests;

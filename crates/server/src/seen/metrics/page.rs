//! `/metrics`, and who may read it.

use std::io;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use wire::ErrorCode;

use super::Metrics;
use crate::config::{Config, Secret};
use crate::platform::errors::ApiError;

/// The metrics and the terms on which a listener shows them.
pub struct MetricsPage {
    metrics: Arc<Metrics>,
    token: Option<Secret>,
    is_here: bool,
}

impl MetricsPage {
    /// On the listener of everything else: not when there is a port of their own, and in
    /// production only with a token.
    #[must_use]
    pub fn on_main(config: &Config, metrics: Arc<Metrics>) -> Self {
        let open = config.metrics.token.is_some() || !config.environment.is_production();
        Self {
            metrics,
            token: config.metrics.token.clone(),
            is_here: open && config.metrics.port.is_none(),
        }
    }

    /// On a port of their own.
    fn on_own_port(config: &Config, metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            token: config.metrics.token.clone(),
            is_here: true,
        }
    }

    fn show(&self, authorization: Option<&str>) -> Result<HttpResponse, ApiError> {
        if !self.is_here {
            return Err(ApiError::not_found());
        }
        if let Some(token) = &self.token
            && !authorization
                .and_then(|value| value.strip_prefix("Bearer "))
                .is_some_and(|given| token.matches(given.trim()))
        {
            return Err(ApiError::new(
                ErrorCode::Unauthenticated,
                "The metrics need their token.",
            ));
        }
        let text = self.metrics.render().map_err(ApiError::internal)?;
        Ok(HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(text))
    }
}

/// The metrics of this worker, in Prometheus' text format.
///
/// # Errors
/// 404 where the metrics are not shown, 401 without the token.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 500, body = wire::ErrorBody, description = "A fault of the server."),
        (status = 503, body = wire::ErrorBody, description = "Away for the moment."),
    )
)]
pub async fn page(
    page: web::Data<MetricsPage>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let authorization = request.headers().get(header::AUTHORIZATION);
    page.show(authorization.and_then(|value| value.to_str().ok()))
}

/// Opens the port of the metrics, if they have one. The server runs when it is awaited.
///
/// What is no HTTP, or asks for anything else, is answered with a bare status here, and not in the
/// envelope of the main listener. The port is for one scraper in a private network, which goes by
/// the status; what guards connections and counts requests for clients would only be one more thing
/// between an operator and the figures by which he finds out what is wrong with it.
///
/// # Errors
/// When the port cannot be opened.
pub fn listen(config: &Config, metrics: Arc<Metrics>) -> io::Result<Option<Server>> {
    let Some(port) = config.metrics.port else {
        return Ok(None);
    };
    let data = web::Data::new(MetricsPage::on_own_port(config, metrics));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .route("/metrics", web::get().to(page))
    });
    Ok(Some(
        server
            .workers(1)
            .disable_signals()
            .bind((config.http.host, port))?
            .run(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Config {
        let base = [
            ("DATABASE_URL", "postgres://db/x"),
            ("SECRET_KEY", "q8Zr1vN0yXw3LkTf5HdJ7sBa9GpMcEuR2oVi4"),
            ("PUBLIC_URL", "https://qtable.example"),
        ];
        Config::from_vars(|name| {
            let found = vars.iter().chain(&base).find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
        .unwrap()
    }

    fn status(page: &MetricsPage, authorization: Option<&str>) -> u16 {
        page.show(authorization).map_or_else(
            |error| error.body("").status,
            |answer| answer.status().as_u16(),
        )
    }

    #[test]
    fn who_may_read_the_metrics() {
        let production = ("ENVIRONMENT", "production");
        let (token, port) = (("METRICS_TOKEN", "t0ken"), ("METRICS_PORT", "9100"));
        for (vars, without, with) in [
            (vec![], 200, 200),
            (vec![production], 404, 404),
            (vec![token], 401, 200),
            (vec![production, token], 401, 200),
            (vec![port], 404, 404),
            (vec![production, port, token], 404, 404),
        ] {
            let page = MetricsPage::on_main(&config(&vars), Arc::new(Metrics::new().unwrap()));
            assert_eq!(status(&page, None), without, "{vars:?}");
            assert_eq!(status(&page, Some("Bearer t0ken")), with, "{vars:?}");
            assert_ne!(status(&page, Some("Bearer t0keN")), 500);
        }
        let own =
            |vars: &[_]| MetricsPage::on_own_port(&config(vars), Arc::new(Metrics::new().unwrap()));
        assert_eq!(status(&own(&[production, port]), None), 200);
        assert_eq!(status(&own(&[port, token]), None), 401);
        assert_eq!(status(&own(&[port, token]), Some("Bearer t0ken")), 200);
        assert_eq!(status(&own(&[port, token]), Some("t0ken")), 401);
    }

    #[actix_web::test]
    async fn a_port_of_their_own() {
        let metrics = || Arc::new(Metrics::new().unwrap());
        assert!(listen(&config(&[]), metrics()).unwrap().is_none());
        let config = config(&[("METRICS_PORT", "0"), ("HOST", "127.0.0.1")]);
        let server = listen(&config, metrics()).unwrap().unwrap();
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);
        handle.stop(false).await;
        running.await.unwrap().unwrap();
    }
}

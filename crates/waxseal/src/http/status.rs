//! Addresses for operators: is it alive, is it ready, what does it count.

use super::site::Site;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The media type of the text format of Prometheus.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: it can do its job.
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    match site.desk.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            site.fault("answer whether it is ready", &error);
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}

/// `GET /metrics` on an address of its own.
pub(super) async fn metrics(State(site): State<Arc<Site>>) -> Response {
    ([(header::CONTENT_TYPE, PROMETHEUS)], site.metrics.text(&site.gauges())).into_response()
}

/// `GET /metrics` beside the pages: only with the operator's token, and like a missing page without.
pub(super) async fn metrics_with_token(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Response {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match (&site.settings.metrics_token, given) {
        (Some(token), Some(given)) if same(token.as_bytes(), given.as_bytes()) => {
            metrics(State(site)).await
        }
        _ => crate::web::not_found(State(site)).await,
    }
}

/// Compares in a time that depends on the lengths alone.
fn same(one: &[u8], other: &[u8]) -> bool {
    let different = one.iter().zip(other).fold(0, |seen, (a, b)| seen | (a ^ b));
    one.len() == other.len() && different == 0
}

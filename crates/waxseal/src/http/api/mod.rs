//! `/api/v1`: the same results for programs. Each handler calls one use case; answers are JSON, refusals are
//! problem documents (RFC 9457). The published description is made from the handlers by [`openapi`] and
//! committed as `docs/openapi.json`; a test compares them.

mod answer;
mod auth;
mod body;
mod catalogue;
mod checks;
mod connections;
mod fields;
mod jobs;
mod openapi;
mod problem;
mod refusals;
mod trials;

use super::Site;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post, put};
use problem::Problem;
use std::sync::Arc;

/// The addresses of the interface.
pub(super) fn routes() -> Router<Arc<Site>> {
    let connection = get(connections::show).patch(connections::change).delete(connections::remove);
    let secret = put(connections::set_secret).delete(connections::remove_secret);
    Router::new()
        .route("/api/v1/openapi.json", get(document))
        .route("/api/v1/checks", post(checks::begin))
        .route("/api/v1/checks/{id}", get(checks::show).delete(checks::delete))
        .route("/api/v1/connections", get(connections::list).post(connections::add))
        .route("/api/v1/connections/{id}", connection)
        .route("/api/v1/connections/{id}/secret", secret)
        .route("/api/v1/connections/{id}/enable", post(connections::enable))
        .route("/api/v1/connections/{id}/disable", post(connections::disable))
        .route("/api/v1/connections/{id}/verify", post(trials::verify))
        .route("/api/v1/connections/{id}/tests", get(trials::tests).post(trials::test))
        .route("/api/v1/connections/{id}/received", post(trials::received))
        .route("/api/v1/jobs/{id}", get(jobs::show))
        .route("/api/v1/me", get(jobs::me))
        .route("/api/v1/headers", post(trials::headers))
        .route("/api/v1/presets", get(catalogue::presets))
        .route("/api/v1/presets/{name}", get(catalogue::preset))
        .route("/api/v1/guides", get(catalogue::guides))
        .route("/api/v1/guides/{name}", get(catalogue::guide))
        .route("/api/v1/findings", get(catalogue::findings))
        .route("/api/v1/findings/{code}", get(catalogue::finding))
        .route("/api/{*rest}", any(nothing))
        .method_not_allowed_fallback(no_method)
}

/// The addresses that last as long as a check or a job.
pub(super) fn waiting_routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/checks/{id}/events", get(checks::events))
        .route("/api/v1/jobs/{id}/events", get(jobs::events))
        .method_not_allowed_fallback(no_method)
}

async fn no_method() -> Problem {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "method", "This address does not take that method")
        .hint("the header Allow says which it takes")
}

/// The answer to a request that this program did not end in time.
pub(super) fn too_slow() -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let problem = Problem::new(status, "too-slow", "This took too long");
    problem.hint("The fault is on this server. Try again later").into_response()
}

async fn nothing() -> Problem {
    Problem::not_found("address")
}

async fn document(State(site): State<Arc<Site>>) -> Response {
    let text = openapi::text(site.base());
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

//! `/api/v1`: the same results for programs. Each handler calls one use case; answers are JSON, refusals are
//! problem documents (RFC 9457). The published description is made from the handlers by [`openapi`] and
//! committed as `docs/openapi.json`; a test compares them.

mod catalogue;
mod checks;
mod openapi;
mod problem;

use super::Site;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use problem::Problem;
use std::sync::Arc;

/// The addresses of the interface.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/openapi.json", get(document))
        .route("/api/v1/checks", post(checks::begin))
        .route("/api/v1/checks/{id}", get(checks::show).delete(checks::delete))
        .route("/api/v1/presets", get(catalogue::presets))
        .route("/api/v1/presets/{name}", get(catalogue::preset))
        .route("/api/v1/guides", get(catalogue::guides))
        .route("/api/v1/guides/{name}", get(catalogue::guide))
        .route("/api/v1/findings", get(catalogue::findings))
        .route("/api/v1/findings/{code}", get(catalogue::finding))
        .route("/api/{*rest}", get(nothing).post(nothing).delete(nothing))
}

/// The addresses that last as long as a check.
pub(super) fn waiting_routes() -> Router<Arc<Site>> {
    Router::new().route("/api/v1/checks/{id}/events", get(checks::events))
}

async fn nothing() -> Problem {
    Problem::not_found("address")
}

async fn document(State(site): State<Arc<Site>>) -> Response {
    let text = openapi::text(site.base());
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

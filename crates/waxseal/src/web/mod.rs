//! The pages for people: each handler calls one use case and fills one template. No rule and no wording of a
//! finding is here. The ways in are [`routes`] and [`not_found`]; a change must keep every foreign text
//! passing [`crate::escape`] before it reaches a template.

mod account;
mod connections;
mod frame;
mod guides;
mod home;
mod kept;
mod presets;
mod results;
mod secrets;
mod tools;

use crate::http::Site;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use frame::{Frame, Message, page};
use std::sync::Arc;

/// The addresses of all pages.
pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(home::home))
        .route("/guides", get(guides::shelves))
        .route("/guides/", get(guides::shelves))
        .route("/guides/{name}", get(guides::guide))
        .route("/guides/category/{name}", get(guides::category))
        .route("/guides/findings/{name}", get(guides::finding))
        .route("/llms.txt", get(guides::llms_txt))
        .route("/llms-full.txt", get(guides::llms_full))
        .route("/presets", get(presets::presets))
        .route("/sign-in", get(account::sign_in_form).post(account::sign_in))
        .route("/sign-out", post(account::sign_out))
        .route("/enter/{token}", get(account::enter_form).post(account::enter))
        .route("/account", get(account::account))
        .route("/account/invite", post(account::invite))
        .route("/account/sign-out-everywhere", post(account::sign_out_everywhere))
        .route("/secrets/{token}", get(secrets::show).post(secrets::store))
        .route("/results/{token}", get(results::show))
        .route("/results/{token}/report.json", get(results::json))
        .route("/results/{token}/report.md", get(results::markdown))
        .route("/results/{token}/delete", post(results::delete))
        .merge(connections::routes())
}

/// The addresses that wait for a check, which ends in its own time.
pub(crate) fn waiting_routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/tools/{kind}", get(tools::form).post(tools::check))
        .route("/results/{token}/events", get(results::events))
        .merge(connections::waiting_routes())
}

/// The page for an address that leads nowhere.
pub(crate) async fn not_found(State(site): State<Arc<Site>>) -> Response {
    let message = Message {
        frame: Frame::of(&site).noindex(),
        title: "There is no such page".to_owned(),
        text: "The address may be mistyped, or the page may be gone.".to_owned(),
        next: Some(("/", "To the start")),
    };
    (StatusCode::NOT_FOUND, page(&site, &message)).into_response()
}

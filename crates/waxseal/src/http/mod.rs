//! `waxseal serve` as an HTTP server: connections, limits, security headers, logs, metrics, and which
//! address leads where. Pages are in [`crate::web`]; this module holds no page and no rule about mail. The
//! way in is [`router`] with [`server::run`].

mod api;
mod assets;
mod certificates;
mod client;
mod guard;
mod log;
mod metrics;
mod parts;
mod patience;
pub(crate) mod server;
mod site;
mod status;
mod streams;
mod visitor;

pub(crate) use assets::Assets;
pub(crate) use certificates::Certificates;
pub(crate) use guard::{Client, to_the_end};
pub(crate) use log::{Event, Log};
pub(crate) use parts::Parts;
pub(crate) use site::{Site, SiteSettings};
pub(crate) use streams::{StreamPlace, Streams};
pub(crate) use visitor::{Visitor, cookie, may_be_signed_in, no_cookie, session_cookie, visitor};

use crate::limits::REQUEST_BODY_OCTETS_MAX;
use crate::mcp;
use crate::web;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use std::sync::Arc;

/// Every address of the site.
pub(crate) fn router(site: &Arc<Site>) -> Router {
    let quick = Router::new()
        .merge(web::routes())
        .merge(api::routes())
        .route("/assets/{name}", get(assets::serve))
        .route("/favicon.ico", get(assets::icon))
        .route("/metrics", get(status::metrics_with_token))
        .fallback(web::not_found)
        .layer(middleware::from_fn(to_the_end))
        .layer(middleware::from_fn(guard::in_time));
    Router::new()
        .merge(quick)
        .merge(web::waiting_routes())
        .merge(api::waiting_routes())
        .merge(mcp::http::routes(site))
        .route("/readyz", get(status::ready))
        .route("/healthz", get(status::alive))
        .layer(DefaultBodyLimit::max(REQUEST_BODY_OCTETS_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(site), guard::guard))
        .with_state(Arc::clone(site))
}

/// The metrics alone, for an address of their own.
pub(crate) fn metrics_router(site: &Arc<Site>) -> Router {
    Router::new().route("/metrics", get(status::metrics)).with_state(Arc::clone(site))
}

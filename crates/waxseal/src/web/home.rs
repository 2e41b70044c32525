//! The first page.

use super::frame::{Frame, page};
use crate::http::Site;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use waxseal_guides::Page;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame<'a>,
    pages: &'static [Page],
}

/// `GET /`.
pub(super) async fn home(State(site): State<Arc<Site>>) -> Response {
    page(&site, &Home { frame: Frame::of(&site), pages: waxseal_guides::pages() })
}

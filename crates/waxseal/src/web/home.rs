//! The first page.

use super::frame::{Frame, page};
use super::tools::Checker;
use crate::http::Site;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use waxseal_app::check_desk::Kind;
use waxseal_guides::Page;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame<'a>,
    checker: Option<Checker>,
    pages: &'static [Page],
}

/// `GET /`.
pub(super) async fn home(State(site): State<Arc<Site>>) -> Response {
    let checker = site.settings.public_checker.then(|| Checker::empty(Kind::SmtpTls));
    page(&site, &Home { frame: Frame::of(&site), checker, pages: waxseal_guides::pages() })
}

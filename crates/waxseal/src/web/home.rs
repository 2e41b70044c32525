//! The first page.

use super::frame::{Frame, page};
use super::tools::Checker;
use crate::http::{Site, Visitor};
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
pub(super) async fn home(State(site): State<Arc<Site>>, visitor: Option<Visitor>) -> Response {
    let may_check = site.settings.public_checker || visitor.is_some();
    let checker = may_check.then(|| Checker::empty(Kind::SmtpTls));
    page(&site, &Home { frame: Frame::of(&site), checker, pages: waxseal_guides::pages() })
}

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
    is_signed_in: bool,
    pages: &'static [Page],
}

/// `GET /`.
pub(super) async fn home(State(site): State<Arc<Site>>, visitor: Option<Visitor>) -> Response {
    let is_signed_in = visitor.is_some();
    let may_check = site.settings.public_checker || is_signed_in;
    let checker = may_check.then(|| Checker::empty(Kind::SmtpTls));
    let (frame, pages) = (Frame::of(&site), waxseal_guides::pages());
    page(&site, &Home { frame, checker, is_signed_in, pages })
}

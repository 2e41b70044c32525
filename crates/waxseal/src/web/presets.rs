//! `/presets`: host, port and mode of known services.

use super::frame::{Frame, Place, page};
use crate::http::Site;
use crate::wire::preset::PresetV1;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use waxseal_services::presets;

#[derive(Template)]
#[template(path = "presets.html")]
struct Presets<'a> {
    frame: Frame<'a>,
    rows: Vec<PresetV1>,
}

/// `GET /presets`.
pub(super) async fn presets(State(site): State<Arc<Site>>) -> Response {
    let rows = presets::all().map(PresetV1::from).collect();
    page(&site, &Presets { frame: Frame::of(&site).at(Place::Presets), rows })
}

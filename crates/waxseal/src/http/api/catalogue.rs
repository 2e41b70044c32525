//! `/api/v1/presets`, `/api/v1/guides`, `/api/v1/findings`: what is known, without asking anybody.

use super::body::Part;
use super::problem::Problem;
use crate::wire::catalogue::{
    Finding, Findings, Guide, Guides, Presets, finding_summary, guide_summary,
};
use crate::wire::preset::PresetV1;
use axum::Json;
use waxseal_services::presets as known;

/// List what is known of services
#[utoipa::path(get, path = "/api/v1/presets", tag = "catalogue",
    responses((status = 200, description = "All presets", body = Presets)))]
pub(super) async fn presets() -> Json<Presets> {
    Json(Presets { presets: known::all().map(PresetV1::from).collect() })
}

/// Get one preset
#[utoipa::path(get, path = "/api/v1/presets/{name}", tag = "catalogue",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The preset", body = PresetV1),
        (status = 404, description = "There is no such preset", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn preset(Part(name): Part) -> Result<Json<PresetV1>, Problem> {
    let found = known::by_name(&name).ok_or_else(|| Problem::not_found("preset"))?;
    Ok(Json(PresetV1::from(found)))
}

/// List the guides
#[utoipa::path(get, path = "/api/v1/guides", tag = "catalogue",
    responses((status = 200, description = "All guides", body = Guides)))]
pub(super) async fn guides() -> Json<Guides> {
    Json(Guides { guides: waxseal_guides::pages().iter().map(guide_summary).collect() })
}

/// Get one guide
#[utoipa::path(get, path = "/api/v1/guides/{name}", tag = "catalogue",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The guide", body = Guide),
        (status = 404, description = "There is no such guide", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn guide(Part(name): Part) -> Result<Json<Guide>, Problem> {
    let page = waxseal_guides::page(&name).ok_or_else(|| Problem::not_found("guide"))?;
    Ok(Json(Guide::of(page)))
}

/// List the findings
#[utoipa::path(get, path = "/api/v1/findings", tag = "catalogue",
    responses((status = 200, description = "All findings", body = Findings)))]
pub(super) async fn findings() -> Json<Findings> {
    Json(Findings { findings: waxseal_guides::findings().iter().map(finding_summary).collect() })
}

/// Get one finding
#[utoipa::path(get, path = "/api/v1/findings/{code}", tag = "catalogue",
    params(("code" = String, Path, description = "Its code")),
    responses(
        (status = 200, description = "The finding", body = Finding),
        (status = 404, description = "There is no such finding", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn finding(Part(code): Part) -> Result<Json<Finding>, Problem> {
    let found = waxseal_guides::finding(&code).ok_or_else(|| Problem::not_found("finding"))?;
    Ok(Json(Finding::of(found)))
}

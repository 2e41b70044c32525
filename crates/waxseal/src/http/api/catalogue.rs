//! `/api/v1/presets`, `/api/v1/guides`, `/api/v1/findings`: what is known, without asking anybody.

use super::problem::Problem;
use crate::wire::preset::PresetV1;
use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;
use waxseal_guides::{FindingText, Page, markdown};
use waxseal_services::presets as known;

/// All presets.
#[derive(Serialize, ToSchema)]
pub(super) struct Presets {
    presets: Vec<PresetV1>,
}

/// All guides.
#[derive(Serialize, ToSchema)]
pub(super) struct Guides {
    guides: Vec<GuideSummary>,
}

/// A guide in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct GuideSummary {
    /// The name in addresses.
    name: &'static str,
    /// Its title.
    title: &'static str,
    /// What it explains.
    summary: &'static str,
    /// Its shelf.
    category: &'static str,
    /// Reading time.
    minutes: usize,
    /// Its anchored sections.
    sections: Vec<GuideSection>,
    /// Where people read it.
    page: String,
}

/// A section of a guide.
#[derive(Serialize, ToSchema)]
pub(super) struct GuideSection {
    /// Its anchor.
    anchor: &'static str,
    /// Its heading.
    heading: &'static str,
}

/// A guide.
#[derive(Serialize, ToSchema)]
pub(super) struct Guide {
    #[serde(flatten)]
    summary: GuideSummary,
    /// The whole text.
    markdown: String,
}

/// All findings.
#[derive(Serialize, ToSchema)]
pub(super) struct Findings {
    findings: Vec<FindingSummary>,
}

/// A finding in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct FindingSummary {
    /// The code, which never changes its meaning.
    code: &'static str,
    /// One line that names the fault.
    title: &'static str,
    /// Severity and owner by case.
    cases: Vec<FindingCase>,
    /// The guide section that explains it, `page#section`.
    guide: &'static str,
    /// Where people read about it.
    page: String,
}

/// One case of a finding.
#[derive(Serialize, ToSchema)]
pub(super) struct FindingCase {
    /// When this case holds.
    when: &'static str,
    /// fail, warn or info.
    severity: &'static str,
    /// Who has to act.
    owner: &'static str,
    /// A second party whose help is needed.
    also: Option<&'static str>,
}

/// A finding.
#[derive(Serialize, ToSchema)]
pub(super) struct Finding {
    #[serde(flatten)]
    summary: FindingSummary,
    /// The whole text, with general words in the place of names.
    markdown: String,
}

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
pub(super) async fn preset(Path(name): Path<String>) -> Result<Json<PresetV1>, Problem> {
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
pub(super) async fn guide(Path(name): Path<String>) -> Result<Json<Guide>, Problem> {
    let page = waxseal_guides::page(&name).ok_or_else(|| Problem::not_found("guide"))?;
    Ok(Json(Guide { summary: guide_summary(page), markdown: markdown::page_markdown(page) }))
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
pub(super) async fn finding(Path(code): Path<String>) -> Result<Json<Finding>, Problem> {
    let found = waxseal_guides::finding(&code).ok_or_else(|| Problem::not_found("finding"))?;
    let markdown = markdown::finding_markdown(found);
    Ok(Json(Finding { summary: finding_summary(found), markdown }))
}

fn guide_summary(page: &'static Page) -> GuideSummary {
    GuideSummary {
        name: page.name,
        title: &page.title,
        summary: &page.summary,
        category: &page.category,
        minutes: page.reading_minutes(),
        sections: page
            .sections
            .iter()
            .map(|section| GuideSection { anchor: &section.anchor, heading: &section.heading })
            .collect(),
        page: markdown::page_address(page),
    }
}

fn finding_summary(finding: &'static FindingText) -> FindingSummary {
    FindingSummary {
        code: finding.code,
        title: &finding.title,
        cases: finding
            .cases
            .iter()
            .map(|case| FindingCase {
                when: &case.when,
                severity: case.severity.as_str(),
                owner: case.owner.as_str(),
                also: case.also.map(waxseal_guides::Owner::as_str),
            })
            .collect(),
        guide: &finding.guide,
        page: markdown::finding_address(finding),
    }
}
